/** Reads files that people write: unknown fields and wrong types are errors that name the place. */
import type { ProvisioningErrorCode } from '../errors.ts';
import { ProvisioningError } from '../errors.ts';

/** A checked place in a document. */
export class ObjectReader {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #code: ProvisioningErrorCode;

  /** Throws with `code` unless `value` is an object that has only fields of `names`. */
  constructor(value: unknown, path: string, names: readonly string[], code: ProvisioningErrorCode) {
    this.#path = path;
    this.#code = code;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      throw this.problem('', 'must be an object');
    }
    this.#fields = value as Readonly<Record<string, unknown>>;
    const unknown = Object.keys(this.#fields).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw this.problem(unknown, `is not known here; there are: ${names.join(', ')}`);
    }
  }

  /** True when the field is there and not null. */
  has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null;
  }

  /** The field as it is. */
  raw(name: string): unknown {
    return this.#fields[name];
  }

  text(name: string, pattern: RegExp, must: string): string {
    const value = this.#fields[name];
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw this.problem(name, value === undefined ? `is missing; it ${must}` : must);
  }

  optionalText(name: string, pattern: RegExp, must: string): string | undefined {
    return this.has(name) ? this.text(name, pattern, must) : undefined;
  }

  optionalBoolean(name: string): boolean | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#fields[name];
    if (typeof value === 'boolean') return value;
    throw this.problem(name, 'must be true or false');
  }

  optionalInteger(name: string, least: number, most: number): number | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#fields[name];
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw this.problem(name, `must be a whole number from ${least} to ${most}`);
  }

  optionalWord<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    if (!this.has(name)) return undefined;
    const word = words.find((candidate) => candidate === this.#fields[name]);
    if (word !== undefined) return word;
    throw this.problem(name, `must be one of ${words.join(', ')}`);
  }

  optionalTexts(name: string): readonly string[] | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#fields[name];
    if (Array.isArray(value) && value.every((entry): entry is string => typeof entry === 'string')) {
      return value;
    }
    throw this.problem(name, 'must be a list of texts');
  }

  /** A reader of a field that is an object; undefined when it is absent. */
  optionalObject(name: string, names: readonly string[]): ObjectReader | undefined {
    if (!this.has(name)) return undefined;
    return new ObjectReader(this.#fields[name], this.#pathOf(name), names, this.#code);
  }

  /** An error about a field; the empty name means the object itself. */
  problem(name: string, problem: string): ProvisioningError {
    return new ProvisioningError(this.#code, `${name === '' ? this.#path : this.#pathOf(name)} ${problem}`);
  }

  #pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }
}
