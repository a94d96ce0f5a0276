import { parseStrictJson } from './strict-json.ts';
import { TokenRefusedError } from './refusal.ts';

/** The parts of a JWS in compact serialisation (RFC 7515, 7.1), decoded but not verified. */
export interface CompactToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
  /** `header.payload` as sent: what the signature covers. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

/** The largest token that is looked at, in bytes: a real one has some 500, and devices keep it in flash. */
export const maxTokenBytes = 8_192;

/** Levels of nesting in header and payload. Ours have two. */
const maxDepth = 8;

/**
 * Takes a compact JWS apart, before any cryptography, in its only canonical spelling.
 *
 * Libraries accept padding, white space and stray trailing bits in base64url, so one token has many texts; a
 * deny-list keyed by text would be walked around. Here every segment has to be what encoding its bytes gives.
 * Throws `ERR_TOKEN_REFUSED` with `not-a-string`, `too-large`, `malformed`, `not-canonical` or `duplicate-member`.
 */
export function decodeCompact(token: unknown): CompactToken {
  if (typeof token !== 'string') throw new TokenRefusedError('not-a-string', 'the token is not a string');
  // The characters are checked to be ASCII only afterwards; one character is at least one byte.
  if (token.length > maxTokenBytes) {
    throw new TokenRefusedError('too-large', `the token has more than ${maxTokenBytes} characters`);
  }
  const segments = token.split('.');
  const [header, payload, signature] = segments;
  if (segments.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    throw new TokenRefusedError('malformed', `the token has ${segments.length} segments instead of 3`);
  }
  if (header === '' || payload === '') throw new TokenRefusedError('malformed', 'a segment is empty');
  const [headerBytes, payloadBytes, signatureBytes] = [header, payload, signature].map(decodeSegment);
  return {
    header: decodeObject(headerBytes, 'header'),
    payload: decodeObject(payloadBytes, 'payload'),
    signingInput: `${header}.${payload}`,
    signature: signatureBytes ?? new Uint8Array(),
  };
}

function decodeSegment(segment: string): Uint8Array {
  const bytes = Buffer.from(segment, 'base64url');
  if (bytes.toString('base64url') === segment) return bytes;
  throw new TokenRefusedError('not-canonical', 'a segment is not canonical base64url');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeObject(bytes: Uint8Array | undefined, part: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw new TokenRefusedError('malformed', `the ${part} is not UTF-8`, { cause });
  }
  const parsed = parseStrictJson(text, maxDepth);
  if (!parsed.ok) {
    const reason = parsed.problem === 'duplicate-member' ? 'duplicate-member' : 'malformed';
    throw new TokenRefusedError(reason, `the ${part} is not usable JSON: ${parsed.problem}`);
  }
  if (!isObject(parsed.value)) throw new TokenRefusedError('malformed', `the ${part} is not a JSON object`);
  return parsed.value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
