import type { JsonObject, JsonValue } from '@endorse/interface';
import { InvalidArgumentError, LocalProtocolError } from '@endorse/interface';
import { maxJsonDepth, maxRequestBytes, maxResponseBytes } from '../limits.ts';
import { describeValue, malformed } from './malformed.ts';

/** A JSON body as it arrives: text, or its UTF-8 bytes. */
export type JsonInput = string | Uint8Array;

/** Options of every JSON decoder. */
export interface JsonDecodeOptions {
  /** Largest accepted input, in bytes; default 1 MiB for answers, 96 KiB for requests. */
  readonly maxBytes?: number;
}

/** Parses a bounded JSON object. Throws `ERR_REMOTE_TOO_LARGE` or `ERR_REMOTE_MALFORMED`, nothing else. */
export function parseJsonObject(
  what: string,
  input: JsonInput,
  maxBytes: number = maxResponseBytes,
): JsonObject {
  const value = parseJsonText(what, input, maxBytes);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw malformed(what, '$', `must be an object, found ${describeValue(value)}`);
  }
  return value as JsonObject;
}

/** Parses bounded JSON text. Throws `ERR_REMOTE_TOO_LARGE` or `ERR_REMOTE_MALFORMED`, nothing else. */
export function parseJsonText(
  what: string,
  input: JsonInput,
  maxBytes: number = maxResponseBytes,
): JsonValue {
  const text = decodeText(what, input, maxBytes);
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    // The parser's own message quotes the input, which may hold a key, so it is not kept as a cause.
    const sample = /^\s*[[{"]/.test(text) ? undefined : text;
    throw malformed(what, '$', text.trim() === '' ? 'is empty' : 'is not JSON', { sample });
  }
  checkJsonValue(what, value);
  return value;
}

/** Serialises a value that will be sent. Throws `ERR_LOCAL_UNENCODABLE` when it is not JSON or exceeds `maxBytes`. */
export function formatJson(what: string, value: unknown, maxBytes: number = maxRequestBytes): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new LocalProtocolError('ERR_LOCAL_UNENCODABLE', `cannot encode the ${what}: it is not JSON`, {
      cause,
    });
  }
  if (text === undefined) {
    throw new LocalProtocolError('ERR_LOCAL_UNENCODABLE', `cannot encode the ${what}: it is not JSON`);
  }
  const byteLength = Buffer.byteLength(text);
  if (byteLength > maxBytes) {
    throw new LocalProtocolError(
      'ERR_LOCAL_UNENCODABLE',
      `cannot encode the ${what}: ${byteLength} bytes exceed the limit of ${maxBytes}`,
    );
  }
  return text;
}

/** Checks that a caller's value survives JSON unchanged in kind. Throws `ERR_INVALID_ARGUMENT`. */
export function assertJsonValue(argument: string, value: unknown): void {
  const problem = findJsonProblem(value);
  if (problem !== undefined) throw new InvalidArgumentError(argument, `${problem.text} (at ${problem.path})`);
}

function decodeText(what: string, input: JsonInput, maxBytes: number): string {
  const byteLength = typeof input === 'string' ? Buffer.byteLength(input) : input.byteLength;
  if (byteLength > maxBytes) {
    throw malformed(what, '$', `has ${byteLength} bytes, more than the limit of ${maxBytes}`, {
      code: 'ERR_REMOTE_TOO_LARGE',
    });
  }
  if (typeof input === 'string') return input.startsWith('\ufeff') ? input.slice(1) : input;
  try {
    return utf8.decode(input);
  } catch (cause) {
    throw malformed(what, '$', 'is not UTF-8', { cause });
  }
}

// Without `ignoreBOM` the decoder drops a byte order mark, which some proxies add.
const utf8 = new TextDecoder('utf-8', { fatal: true });

function checkJsonValue(what: string, root: JsonValue): void {
  const problem = findJsonProblem(root);
  if (problem !== undefined) throw malformed(what, problem.path, problem.text);
}

interface JsonProblem {
  readonly path: string;
  readonly text: string;
}

interface JsonNode {
  readonly value: object;
  readonly parent: JsonNode | undefined;
  readonly key: string;
  readonly depth: number;
}

/**
 * Walks a value without recursion, so that depth costs no stack, and builds a
 * path only for what is wrong, so that breadth costs little.
 */
function findJsonProblem(root: unknown): JsonProblem | undefined {
  const rootProblem = leafProblem(root);
  if (rootProblem !== undefined) return { path: '$', text: rootProblem };
  if (!isContainer(root)) return undefined;
  const open: JsonNode[] = [{ value: root, parent: undefined, key: '$', depth: 1 }];
  let seen = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const isArray = Array.isArray(node.value);
    if (!isArray && !isPlain(node.value)) return { path: pathOf(node), text: 'is not a plain object' };
    if (node.depth > maxJsonDepth) {
      return { path: pathOf(node), text: `is nested deeper than ${maxJsonDepth} levels` };
    }
    for (const [name, value] of Object.entries(node.value)) {
      // As in JSON.stringify, an undefined member is one that is not there.
      if (value === undefined && !isArray) continue;
      const key = isArray ? `[${name}]` : `.${printableKey(name)}`;
      const problem = leafProblem(value);
      if (problem !== undefined) return { path: `${pathOf(node)}${key}`, text: problem };
      // An object that refers to itself twice would otherwise be walked for ever.
      if (++seen > maxJsonValues) return { path: '$', text: `has more than ${maxJsonValues} values` };
      if (isContainer(value)) open.push({ value, parent: node, key, depth: node.depth + 1 });
    }
  }
  return undefined;
}

/** More values than this do not fit into the largest body: the shortest takes two bytes. */
const maxJsonValues = maxResponseBytes / 2;

/** A prototype that has none itself is Object.prototype, of this realm or another. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function leafProblem(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'object':
      return undefined;
    case 'number':
      // JSON.parse('1e400') yields Infinity.
      return Number.isFinite(value) ? undefined : 'is a number out of range';
    default:
      return `is not JSON: ${describeValue(value)}`;
  }
}

function pathOf(node: JsonNode): string {
  const keys: string[] = [];
  for (let at: JsonNode | undefined = node; at !== undefined; at = at.parent) keys.unshift(at.key);
  return keys.join('');
}

// Keys come from the peer as well: only ordinary names are shown.
function printableKey(key: string): string {
  return /^[A-Za-z_$][\w$]{0,63}$/.test(key) ? key : '*';
}
