/**
 * The service's query language, as far as it is seen in the field:
 *
 *     SELECT ( * | field [AS name] , … ) [ FROM collection ] [ WHERE condition ]
 *     condition := comparison | field [NOT] IN [ value, … ] | NOT condition | condition AND|OR condition | ( condition )
 *     comparison := field ( = | != | <> | < | <= | > | >= ) value, or the other way round
 *     value := 'string' | "string" | `string` | number | TRUE | FALSE | NULL
 *
 * Words of the language go in any case, AND binds tighter than OR, NOT tighter than both. Everything else is an error
 * with its position.
 */
import type { Token } from './lexer.ts';
import { tokenize } from './lexer.ts';
import { QueryError } from './query-error.ts';

/** A value that fields are compared with. */
export type QueryValue = string | number | boolean | null;

/** How a field is compared. */
export type ComparisonOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** What a row must meet. */
export type Condition =
  | {
      readonly kind: 'comparison';
      readonly path: readonly string[];
      readonly operator: ComparisonOperator;
      readonly value: QueryValue;
    }
  | { readonly kind: 'membership'; readonly path: readonly string[]; readonly values: readonly QueryValue[] }
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly operand: Condition };

/** One field of a projection. */
export interface SelectedField {
  readonly path: readonly string[];
  readonly name: string;
}

/** A query, understood. */
export interface Query {
  /** Absent for `*`. */
  readonly fields?: readonly SelectedField[];
  readonly condition?: Condition;
}

/** Reads a query about one collection. Throws {@link QueryError}. */
export function parseQuery(query: string, collection: string): Query {
  const parser = new Parser(tokenize(query));
  parser.expectWord('SELECT');
  const fields = parser.readSelection();
  if (parser.takeWord('FROM')) parser.expectWord(collection);
  const condition = parser.takeWord('WHERE') ? parser.readCondition(0) : undefined;
  parser.expectEnd();
  return {
    ...(fields === undefined ? {} : { fields }),
    ...(condition === undefined ? {} : { condition }),
  };
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  expectWord(word: string): void {
    if (!this.takeWord(word)) this.#fail(word);
  }

  takeWord(word: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'word' || token.text.toUpperCase() !== word.toUpperCase()) return false;
    this.#at += 1;
    return true;
  }

  expectEnd(): void {
    if (this.#peek().kind !== 'end') this.#fail('the end of the query');
  }

  /** `*` or fields; undefined for `*`. */
  readSelection(): readonly SelectedField[] | undefined {
    if (this.#takeSymbol('*')) return undefined;
    const fields: SelectedField[] = [];
    do {
      const { position } = this.#peek();
      const path = this.#readPath();
      const name = this.takeWord('AS') ? this.#readName() : (path.at(-1) ?? '');
      if (fields.some((field) => field.name === name)) {
        throw new QueryError(`${name} is selected twice`, position);
      }
      fields.push({ path, name });
    } while (this.#takeSymbol(','));
    return fields;
  }

  readCondition(depth: number): Condition {
    let left = this.#readConjunction(depth);
    while (this.takeWord('OR')) left = { kind: 'or', left, right: this.#readConjunction(depth) };
    return left;
  }

  #readConjunction(depth: number): Condition {
    let left = this.#readTerm(depth);
    while (this.takeWord('AND')) left = { kind: 'and', left, right: this.#readTerm(depth) };
    return left;
  }

  #readTerm(depth: number): Condition {
    if (depth > maxDepth) throw new QueryError('the condition is nested too deeply', this.#peek().position);
    if (this.takeWord('NOT')) return { kind: 'not', operand: this.#readTerm(depth + 1) };
    if (this.#takeSymbol('(')) {
      const condition = this.readCondition(depth + 1);
      if (!this.#takeSymbol(')')) this.#fail(')');
      return condition;
    }
    const value = this.#takeValue();
    if (value !== undefined) {
      const operator = mirrored[this.#readOperator()];
      return { kind: 'comparison', path: this.#readPath(), operator, value };
    }
    const path = this.#readPath();
    if (this.takeWord('IN')) return { kind: 'membership', path, values: this.#readValues() };
    if (this.takeWord('NOT')) {
      this.expectWord('IN');
      return { kind: 'not', operand: { kind: 'membership', path, values: this.#readValues() } };
    }
    return { kind: 'comparison', path, operator: this.#readOperator(), value: this.#readValue() };
  }

  #readOperator(): ComparisonOperator {
    const token = this.#peek();
    const text = token.kind === 'symbol' ? token.text : '';
    const operator = text === '<>' ? '!=' : text;
    if (!Object.hasOwn(mirrored, operator)) return this.#fail('a comparison');
    this.#at += 1;
    return operator as ComparisonOperator;
  }

  #readValues(): readonly QueryValue[] {
    const end = this.#takeSymbol('[') ? ']' : this.#takeSymbol('(') ? ')' : this.#fail('a list in [ ]');
    const values = [this.#readValue()];
    while (this.#takeSymbol(',')) values.push(this.#readValue());
    if (!this.#takeSymbol(end)) this.#fail(end);
    return values;
  }

  #readValue(): QueryValue {
    const value = this.#takeValue();
    return value === undefined ? this.#fail('a value') : value;
  }

  /** Undefined when what comes is no value. */
  #takeValue(): QueryValue | undefined {
    const token = this.#peek();
    if (token.kind === 'string' || token.kind === 'number') {
      this.#at += 1;
      return token.value;
    }
    if (this.takeWord('TRUE')) return true;
    if (this.takeWord('FALSE')) return false;
    return this.takeWord('NULL') ? null : undefined;
  }

  #readPath(): readonly string[] {
    const path = [this.#readName()];
    while (this.#takeSymbol('.')) path.push(this.#readName());
    return path;
  }

  #readName(): string {
    const token = this.#peek();
    if (token.kind !== 'word' || reserved.has(token.text.toUpperCase())) return this.#fail('a field name');
    this.#at += 1;
    return token.text;
  }

  #takeSymbol(symbol: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'symbol' || token.text !== symbol) return false;
    this.#at += 1;
    return true;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? endToken;
  }

  #fail(expected: string): never {
    const token = this.#peek();
    throw new QueryError(`expected ${expected}, found ${describe(token)}`, token.position);
  }
}

const mirrored: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

const reserved = new Set([
  'SELECT',
  'FROM',
  'WHERE',
  'AND',
  'OR',
  'NOT',
  'IN',
  'AS',
  'TRUE',
  'FALSE',
  'NULL',
]);

const endToken: Token = { kind: 'end', position: 0 };

/** Deeper than any person writes, and far from the end of the stack. */
const maxDepth = 64;

function describe(token: Token): string {
  switch (token.kind) {
    case 'word':
    case 'symbol':
      return token.text.slice(0, 64);
    case 'string':
      return 'a string';
    case 'number':
      return 'a number';
    case 'end':
      return 'the end';
    default:
      return token satisfies never;
  }
}
