import type { JsonObject, JsonValue } from '@endorse/interface';
import { decodeBase64 } from './base64.ts';
import { parseJsonObject, type JsonInput } from './json-text.ts';
import { describeValue, malformed } from './malformed.ts';

/**
 * Reads the fields of a JSON object one by one and remembers which, so that the
 * rest can be passed on. `null` counts as absent: the service writes it for
 * fields it does not set. Every method throws `ERR_REMOTE_MALFORMED` only.
 */
export class JsonObjectReader {
  readonly #what: string;
  readonly #object: JsonObject;
  readonly #path: string;
  readonly #read: Set<string> = new Set();

  constructor(what: string, object: JsonObject, path = '$') {
    this.#what = what;
    this.#object = object;
    this.#path = path;
  }

  /** Parses text and starts at its root. */
  static parse(what: string, input: JsonInput, maxBytes: number): JsonObjectReader {
    return new JsonObjectReader(what, parseJsonObject(what, input, maxBytes));
  }

  /** Path of a field, for errors. */
  path(key: string): string {
    return `${this.#path}.${key}`;
  }

  /** An error about one field. */
  problem(key: string, problem: string, sample?: string): Error {
    return malformed(this.#what, this.path(key), problem, { sample });
  }

  optionalString(key: string, maxLength: number): string | undefined {
    const value = this.optionalValue(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw this.problem(key, `must be a string, found ${describeValue(value)}`);
    if (value.length > maxLength) {
      throw this.problem(key, `has ${value.length} characters, more than ${maxLength}`);
    }
    return value;
  }

  requiredString(key: string, maxLength: number): string {
    const value = this.optionalString(key, maxLength);
    if (value === undefined) throw this.problem(key, 'is missing');
    if (value === '') throw this.problem(key, 'is empty');
    return value;
  }

  optionalInteger(key: string): number | undefined {
    const value = this.optionalValue(key);
    if (value === undefined) return undefined;
    if (!Number.isSafeInteger(value))
      throw this.problem(key, `must be an integer, found ${describeValue(value)}`);
    return value as number;
  }

  optionalBoolean(key: string): boolean | undefined {
    const value = this.optionalValue(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'boolean')
      throw this.problem(key, `must be a boolean, found ${describeValue(value)}`);
    return value;
  }

  optionalBytes(key: string, maxBytes: number): Uint8Array | undefined {
    const text = this.optionalString(key, Math.ceil(maxBytes / 3) * 4);
    if (text === undefined) return undefined;
    const bytes = decodeBase64(text);
    if (bytes === undefined) throw this.problem(key, 'is not base64');
    if (bytes.byteLength === 0) throw this.problem(key, 'is empty');
    return bytes;
  }

  requiredBytes(key: string, maxBytes: number): Uint8Array {
    const bytes = this.optionalBytes(key, maxBytes);
    if (bytes === undefined) throw this.problem(key, 'is missing');
    return bytes;
  }

  optionalObject(key: string): JsonObject | undefined {
    const value = this.optionalValue(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.problem(key, `must be an object, found ${describeValue(value)}`);
    }
    return value as JsonObject;
  }

  /** A reader of a nested object. */
  optionalReader(key: string): JsonObjectReader | undefined {
    const object = this.optionalObject(key);
    return object === undefined ? undefined : new JsonObjectReader(this.#what, object, this.path(key));
  }

  requiredReader(key: string): JsonObjectReader {
    const reader = this.optionalReader(key);
    if (reader === undefined) throw this.problem(key, 'is missing');
    return reader;
  }

  /** Readers of the objects in an array. */
  optionalReaders(key: string, maxItems: number): readonly JsonObjectReader[] | undefined {
    return this.#optionalArray(key, maxItems)?.map((item, index) => {
      const path = `${this.path(key)}[${index}]`;
      if (typeof item === 'object' && item !== null && !Array.isArray(item)) {
        return new JsonObjectReader(this.#what, item as JsonObject, path);
      }
      throw this.problem(`${key}[${index}]`, `must be an object, found ${describeValue(item)}`);
    });
  }

  optionalStrings(key: string, maxItems: number, maxLength: number): readonly string[] | undefined {
    return this.#optionalArray(key, maxItems)?.map((item, index) => {
      if (typeof item === 'string' && item.length <= maxLength) return item;
      throw this.problem(`${key}[${index}]`, `must be a string of at most ${maxLength} characters`);
    });
  }

  optionalValue(key: string): JsonValue | undefined {
    this.#read.add(key);
    const value = Object.hasOwn(this.#object, key) ? this.#object[key] : undefined;
    return value === null ? undefined : value;
  }

  #optionalArray(key: string, maxItems: number): readonly JsonValue[] | undefined {
    const value = this.optionalValue(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw this.problem(key, `must be an array, found ${describeValue(value)}`);
    if (value.length > maxItems) throw this.problem(key, `has ${value.length} items, more than ${maxItems}`);
    return value as readonly JsonValue[];
  }

  /** Every field that was not asked for; undefined when there is none. */
  rest(): JsonObject | undefined {
    const entries = Object.entries(this.#object).filter(([key]) => !this.#read.has(key));
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }
}

/** Drops absent fields, so that a decoded value has exactly the keys that arrived. */
export function definedFields<Value extends object>(
  value: Value,
): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [Key in keyof Value]: Exclude<Value[Key], undefined>;
  };
}

/** Adds the fields a decoder did not know behind those it did; a known name wins. */
export function withExtra(
  known: Readonly<Record<string, unknown>>,
  extra: JsonObject | undefined,
): Readonly<Record<string, unknown>> {
  const unknown = Object.entries(extra ?? {}).filter(([key]) => !Object.hasOwn(known, key));
  return { ...known, ...Object.fromEntries(unknown) };
}
