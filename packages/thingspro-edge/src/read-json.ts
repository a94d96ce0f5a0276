/** Narrowing of decoded JSON: every reader returns a value of its type or throws `ERR_REMOTE_MALFORMED` with the path. */
import { RemoteProtocolError } from '@endorse/interface';

/** A JSON object and where it stands in the answer. */
export interface JsonObject {
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Reads JSON text whose top level is an object. */
export function parseJsonObject(text: string, attempted: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The answer may echo a password; its text is no evidence to keep.
    throw new RemoteProtocolError('ERR_REMOTE_MALFORMED', `${attempted}: the answer is not JSON`, {
      evidence: { path: '$' },
    });
  }
  return asObject(value, '$');
}

/** Narrows to an object. */
export function asObject(value: unknown, path: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { path, fields: value as Readonly<Record<string, unknown>> };
  }
  throw malformed(path, 'an object');
}

/** The object in a field. */
export function readObject(object: JsonObject, name: string): JsonObject {
  return asObject(object.fields[name], `${object.path}.${name}`);
}

/** The object in a field; an empty one when it is absent or null. */
export function readOptionalObject(object: JsonObject, name: string): JsonObject {
  const value = object.fields[name];
  const path = `${object.path}.${name}`;
  return value === undefined || value === null ? { path, fields: {} } : asObject(value, path);
}

/** The objects in an array field; none when it is absent or null. */
export function readObjects(object: JsonObject, name: string): readonly JsonObject[] {
  const value = object.fields[name];
  const path = `${object.path}.${name}`;
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed(path, 'an array');
  return value.map((item, index) => asObject(item, `${path}[${index}]`));
}

/** Text in a field. */
export function readText(object: JsonObject, name: string): string {
  const value = object.fields[name];
  if (typeof value === 'string') return value;
  throw malformed(`${object.path}.${name}`, 'text');
}

/** Text in a field; undefined when it is absent, null or empty. */
export function readOptionalText(object: JsonObject, name: string): string | undefined {
  const value = object.fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  return readText(object, name);
}

/** A boolean in a field. */
export function readBoolean(object: JsonObject, name: string): boolean {
  const value = object.fields[name];
  if (typeof value === 'boolean') return value;
  throw malformed(`${object.path}.${name}`, 'true or false');
}

/** A whole number in a field. */
export function readInteger(object: JsonObject, name: string): number {
  const value = object.fields[name];
  if (Number.isSafeInteger(value)) return value as number;
  throw malformed(`${object.path}.${name}`, 'a whole number');
}

function malformed(path: string, expected: string): RemoteProtocolError {
  return new RemoteProtocolError(
    'ERR_REMOTE_MALFORMED',
    `the gateway's answer has at ${path} not ${expected}`,
    {
      evidence: { path },
      remedy: 'Check that the profile fits the model of this gateway and its software version.',
    },
  );
}
