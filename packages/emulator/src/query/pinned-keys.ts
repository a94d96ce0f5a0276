import type { Condition, QueryValue } from './parser.ts';

/**
 * The only keys that rows may have for which the condition is true, so that they can be looked up instead of searched
 * for; undefined when it leaves the key open. It promises no match: a row that has one of the keys is still to be held
 * against the whole condition. Negations are not looked into. A query is short, so that its keys are few.
 */
export function findPinnedKeys(
  condition: Condition | undefined,
  keyField: string,
): ReadonlySet<string> | undefined {
  if (condition === undefined) return undefined;
  switch (condition.kind) {
    case 'comparison':
      return condition.operator === '=' && isField(condition.path, keyField)
        ? pin([condition.value])
        : undefined;
    case 'membership':
      return isField(condition.path, keyField) ? pin(condition.values) : undefined;
    case 'and': {
      const left = findPinnedKeys(condition.left, keyField);
      const right = findPinnedKeys(condition.right, keyField);
      if (left === undefined || right === undefined) return left ?? right;
      return new Set([...left].filter((key) => right.has(key)));
    }
    case 'or': {
      const left = findPinnedKeys(condition.left, keyField);
      const right = left === undefined ? undefined : findPinnedKeys(condition.right, keyField);
      return left === undefined || right === undefined ? undefined : new Set([...left, ...right]);
    }
    case 'not':
      return undefined;
    default:
      return condition satisfies never;
  }
}

/** Keys are texts: what is compared with anything else is true for no row. */
function pin(values: readonly QueryValue[]): ReadonlySet<string> {
  return new Set(values.filter((value) => typeof value === 'string'));
}

function isField(path: readonly string[], field: string): boolean {
  return path.length === 1 && path[0] === field;
}
