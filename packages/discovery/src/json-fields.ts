/** Reads fields of a decoded JSON object; every problem is a `RemoteProtocolError` with the field's path. */
import { RemoteProtocolError } from '@endorse/interface';

/** A JSON object whose fields have not been looked at. */
export type Fields = Readonly<Record<string, unknown>>;

/** Throws the one error a decoder throws; `found` is quoted, shortened. */
export function malformed(path: string, problem: string, found?: unknown): never {
  const evidence = found === undefined ? { path } : { path, sample: sample(found) };
  throw new RemoteProtocolError('ERR_REMOTE_MALFORMED', `${path} ${problem}`, { evidence });
}

/** An object, or an error. */
export function objectAt(value: unknown, path: string): Fields {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Fields;
  return malformed(path, 'is not an object', value);
}

/** Text of 1 to `maxLength` printable characters, or an error. */
export function textAt(fields: Fields, path: string, name: string, maxLength: number): string {
  const value = fields[name];
  if (typeof value === 'string' && isPlainText(value, maxLength)) return value;
  return malformed(`${path}.${name}`, `is not 1 to ${maxLength} printable characters`, value ?? 'nothing');
}

/** As {@link textAt}, but the field may be absent. */
export function optionalTextAt(
  fields: Fields,
  path: string,
  name: string,
  maxLength: number,
): string | undefined {
  return fields[name] === undefined ? undefined : textAt(fields, path, name, maxLength);
}

/** An integer in a range, or an error. */
export function integerAt(fields: Fields, path: string, name: string, least: number, most: number): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  return malformed(`${path}.${name}`, `is not an integer from ${least} to ${most}`, value ?? 'nothing');
}

/** A list of at most `maxCount` texts; empty when the field is absent. */
export function textsAt(
  fields: Fields,
  path: string,
  name: string,
  limits: { readonly maxCount: number; readonly maxLength: number },
): readonly string[] {
  const value = fields[name] ?? [];
  if (!Array.isArray(value) || value.length > limits.maxCount) {
    return malformed(`${path}.${name}`, `is not a list of at most ${limits.maxCount} texts`, value);
  }
  const { maxLength } = limits;
  return value.map((entry: unknown, index) =>
    typeof entry === 'string' && isPlainText(entry, maxLength)
      ? entry
      : malformed(`${path}.${name}[${index}]`, `is not 1 to ${maxLength} printable characters`, entry),
  );
}

/** True for 1 to `maxLength` characters that a terminal and a table can show: no control characters, no line breaks. */
export function isPlainText(text: string, maxLength: number): boolean {
  return text.length >= 1 && text.length <= maxLength && !/[\p{C}\u2028\u2029]/u.test(text);
}

function sample(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.replaceAll(/[\p{C}\u2028\u2029]/gu, '·').slice(0, 200);
}
