import { QueryError } from './query-error.ts';

/** One token of a query. `position` counts from 1. */
export type Token = { readonly position: number } & (
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'symbol'; readonly text: string }
  | { readonly kind: 'end' }
);

/** Splits a query into tokens; the last one is `end`. Throws {@link QueryError}. */
export function tokenize(query: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < query.length) {
    const rest = query.slice(at, at + maxTokenLength);
    const space = /^\s+/.exec(rest);
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const position = at + 1;
    const word = /^[A-Za-z_$][\w$]*/.exec(rest);
    const number = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w$])/.exec(rest);
    const symbol = /^(?:<>|!=|<=|>=|[=<>*,.()[\]])/.exec(rest);
    if (word !== null) {
      tokens.push({ kind: 'word', text: word[0], position });
      at += word[0].length;
    } else if (number !== null) {
      tokens.push({ kind: 'number', value: Number(number[0]), position });
      at += number[0].length;
    } else if (symbol !== null) {
      tokens.push({ kind: 'symbol', text: symbol[0], position });
      at += symbol[0].length;
    } else if (/^['"`]/.test(rest)) {
      const { value, end } = readString(query, at);
      tokens.push({ kind: 'string', value, position });
      at = end;
    } else {
      throw new QueryError(`unexpected ${JSON.stringify(rest[0])}`, position);
    }
  }
  return [...tokens, { kind: 'end', position: query.length + 1 }];
}

/** A quote is written twice, or behind a backslash, inside a string. */
function readString(query: string, start: number): { readonly value: string; readonly end: number } {
  const quote = query[start];
  let value = '';
  for (let at = start + 1; at < query.length; at += 1) {
    const character = query[at] ?? '';
    const next = query[at + 1];
    if (character === quote && next !== quote) return { value, end: at + 1 };
    const isEscape = character === quote || (character === '\\' && (next === quote || next === '\\'));
    if (isEscape) at += 1;
    value += isEscape ? (next ?? '') : character;
  }
  throw new QueryError(`the string has no closing ${quote ?? ''}`, start + 1);
}

/** Longer than any word or number that makes sense; keeps the patterns from running over the whole query. */
const maxTokenLength = 1024;
