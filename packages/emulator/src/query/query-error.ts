/** A query that cannot be understood. Internal: carriers make a 400 of it. */
export class QueryError extends Error {
  /** Where in the query it was noticed, counted from 1. */
  readonly position: number;

  constructor(problem: string, position: number) {
    super(`${problem} at position ${position}`);
    this.name = 'QueryError';
    this.position = position;
  }
}
