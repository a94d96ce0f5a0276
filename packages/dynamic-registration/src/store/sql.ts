/** A value of a parameter or a column. Times and counts are integers below 2^53. */
export type SqlValue = string | number | null;

/** A row by column name. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** Runs one statement; parameters are `$1`, `$2`, … */
export interface SqlConnection {
  /** Resolves with the rows, of which there are none when the statement returns none. */
  run(text: string, parameters?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
}

/**
 * One of the two engines. The texts of the statements are the same for both; what differs is in the engine's file:
 * how a transaction begins, what can be tried again, and how migrations keep others out.
 */
export interface SqlDatabase extends SqlConnection, AsyncDisposable {
  readonly engine: 'sqlite' | 'postgresql';
  /**
   * Runs `work` in a transaction and commits, or rolls back when it rejects. Where the engine lost the transaction (a
   * serialisation failure, a deadlock, a restart) `work` runs again, a bounded number of times: it must have no other
   * effect than on the database, and must recognise what an attempt, whose commit was not confirmed, has done.
   */
  transaction<Value>(work: (sql: SqlConnection) => Promise<Value>): Promise<Value>;
  /** Runs `work` in a transaction that no other process can be in at the same time. */
  exclusive<Value>(work: (sql: SqlConnection) => Promise<Value>): Promise<Value>;
  /** Closes every connection; harmless when repeated. */
  close(): Promise<void>;
}

/** Reads a text column. Throws when the row has none: the schema and the code disagree. */
export function textColumn(row: SqlRow, name: string): string {
  const value = row[name];
  if (typeof value !== 'string') throw new TypeError(`column ${name} holds no text`);
  return value;
}

/** Reads an integer column; PostgreSQL hands out 64 bits as text. */
export function integerColumn(row: SqlRow, name: string): number {
  const value = Number(row[name]);
  if (row[name] === null || !Number.isSafeInteger(value)) {
    throw new TypeError(`column ${name} holds no integer`);
  }
  return value;
}

/** Reads a column that may be null, with `read`. */
export function nullable<Value>(
  row: SqlRow,
  name: string,
  read: (row: SqlRow, name: string) => Value,
): Value | undefined {
  return row[name] === null || row[name] === undefined ? undefined : read(row, name);
}
