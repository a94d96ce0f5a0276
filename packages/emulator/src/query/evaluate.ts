import type { Condition, ComparisonOperator, Query, QueryValue } from './parser.ts';

/** A row as it goes over the wire. */
export type Row = Readonly<Record<string, unknown>>;

/** True when the row is to be part of the answer. */
export function isMatch({ condition }: Query, row: Row): boolean {
  return condition === undefined || evaluate(condition, row) === true;
}

/** The row, or the fields of it that were selected; those it does not have are left out. */
export function project({ fields }: Query, row: Row): Row {
  if (fields === undefined) return row;
  const entries = fields.map(({ path, name }) => [name, valueAt(row, path)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/**
 * Three-valued: a comparison with a field that the row does not have is neither true nor false, and so is its
 * negation. As in the query languages of the service's family, the row is left out either way.
 */
function evaluate(condition: Condition, row: Row): boolean | undefined {
  switch (condition.kind) {
    case 'comparison':
      return compare(valueAt(row, condition.path), condition.operator, condition.value);
    case 'membership': {
      const value = valueAt(row, condition.path);
      return value === undefined ? undefined : condition.values.some((one) => one === value);
    }
    case 'and':
    case 'or': {
      const decisive = condition.kind === 'or';
      const left = evaluate(condition.left, row);
      if (left === decisive) return decisive;
      const right = evaluate(condition.right, row);
      return right === decisive
        ? decisive
        : left === undefined || right === undefined
          ? undefined
          : !decisive;
    }
    case 'not': {
      const operand = evaluate(condition.operand, row);
      return operand === undefined ? undefined : !operand;
    }
    default:
      return condition satisfies never;
  }
}

function compare(found: unknown, operator: ComparisonOperator, value: QueryValue): boolean | undefined {
  if (found === undefined) return undefined;
  if (operator === '=') return found === value;
  if (operator === '!=') return found !== value;
  const isOrdered =
    (typeof found === 'string' && typeof value === 'string') ||
    (typeof found === 'number' && typeof value === 'number');
  if (!isOrdered) return undefined;
  const order = found < value ? -1 : found > value ? 1 : 0;
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return operator satisfies never;
  }
}

function valueAt(row: Row, path: readonly string[]): unknown {
  let value: unknown = row;
  for (const name of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
