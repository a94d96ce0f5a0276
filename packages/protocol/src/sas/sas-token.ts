/**
 * Shared access signature tokens: `SharedAccessSignature sr=…&sig=…&se=…[&skn=…]`.
 *
 * The signed text is `sr`, exactly as it stands in the token, a line feed, and
 * `se`. Clients encode `sr` in five different ways and some not at all, so a
 * verifier must keep the raw text: whoever decodes and encodes it again computes
 * another signature. The order of the fields is free.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { InvalidArgumentError, Secret } from '@endorse/interface';
import { decodeBase64, encodeBase64 } from '../json/base64.ts';
import { malformed } from '../json/malformed.ts';
import { maxSasTokenLength } from '../limits.ts';
import { encodeSasResource, percentEncode, type SasResourceEncoding } from './sas-resource.ts';

/** Name of the key in a device's token for the provisioning service. */
export const registrationKeyName = 'registration';

/** Name of the owner policy every service instance is created with. */
export const serviceOwnerKeyName = 'provisioningserviceowner';

/** A SAS token, taken apart. Inspect with care: with the signature it can be put together again. */
export interface ParsedSasToken {
  /** `sr` exactly as it stands in the token. */
  readonly rawResource: string;
  /** `sr` percent-decoded, for comparison only. */
  readonly resource: string;
  /** `sig`, decoded; 32 bytes for every signature that can verify. */
  readonly signature: Uint8Array;
  /** `se`: when the token expires, in seconds since 1970. */
  readonly expiresAtSeconds: number;
  /** `skn`; absent in hub tokens. */
  readonly keyName?: string;
  /** What the signature is over. */
  readonly stringToSign: Uint8Array;
}

/** Fields of {@link formatSasToken}. */
export interface SasTokenFields {
  /** `sr` exactly as it was signed, see {@link encodeSasResource}. */
  readonly resource: string;
  /** HMAC-SHA256 of the string to sign. */
  readonly signature: Uint8Array;
  /** Seconds since 1970. */
  readonly expiresAtSeconds: number;
  /** `skn`; left out for hub tokens. */
  readonly keyName?: string | undefined;
}

/** What {@link createSasToken} needs. */
export interface CreateSasTokenOptions {
  /** The resource, not encoded: `0ne000A247E/registrations/my-device`. */
  readonly resource: string;
  /** When the token expires, in milliseconds since 1970; rounded up to a second. */
  readonly expiresAt: number;
  /** `skn`; leave it out for hub tokens. */
  readonly keyName?: string | undefined;
  /** How `sr` is written; default `percent`. */
  readonly encoding?: SasResourceEncoding | undefined;
  /** HMAC-SHA256 of the given bytes under the key, wherever it lives. */
  readonly sign: (data: Uint8Array) => Promise<Uint8Array>;
}

/**
 * The bytes a token's signature is over.
 * Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for the expiry.
 */
export function sasStringToSign(
  resource: string,
  expiresAtSeconds: number,
  options: { readonly encodeResource?: SasResourceEncoding | undefined } = {},
): Uint8Array {
  if (typeof resource !== 'string' || resource === '')
    throw new InvalidArgumentError('resource', 'must not be empty');
  const encoded = encodeSasResource(resource, options.encodeResource);
  return new TextEncoder().encode(`${encoded}\n${checkExpiry(expiresAtSeconds)}`);
}

/** Writes a token in the order `sr`, `sig`, `se`, `skn`. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function formatSasToken(fields: SasTokenFields): string {
  if (!/^[^&=\s]+$/.test(fields.resource)) {
    throw new InvalidArgumentError('fields.resource', 'must be encoded: without & = and space');
  }
  if (!(fields.signature instanceof Uint8Array) || fields.signature.byteLength !== signatureBytes) {
    throw new InvalidArgumentError('fields.signature', `must have ${signatureBytes} bytes`);
  }
  const expiry = checkExpiry(fields.expiresAtSeconds);
  const keyName = fields.keyName === undefined ? '' : `&skn=${percentEncode(fields.keyName)}`;
  const signature = percentEncode(encodeBase64(fields.signature));
  return `${scheme} sr=${fields.resource}&sig=${signature}&se=${expiry}${keyName}`;
}

/** Signs and writes a token. Rejects with whatever `sign` rejects with, or as {@link formatSasToken} throws. */
export async function createSasToken(options: CreateSasTokenOptions): Promise<Secret> {
  const { resource, keyName, encoding = 'percent' } = options;
  const expiresAtSeconds = Math.ceil(options.expiresAt / 1000);
  const data = sasStringToSign(resource, expiresAtSeconds, { encodeResource: encoding });
  const signature = await options.sign(data);
  const encoded = encodeSasResource(resource, encoding);
  return Secret.fromText(formatSasToken({ resource: encoded, signature, expiresAtSeconds, keyName }));
}

/** Takes a token apart. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`; no message contains the token. */
export function parseSasToken(text: string): ParsedSasToken {
  if (text.length > maxSasTokenLength) {
    const problem = `has ${text.length} characters, more than ${maxSasTokenLength}`;
    throw malformed(what, '$', problem, { code: 'ERR_REMOTE_TOO_LARGE' });
  }
  const match = /^SharedAccessSignature +(\S+)$/i.exec(text.trim());
  if (match === null) throw malformed(what, '$', 'does not begin with SharedAccessSignature and its fields');
  const fields = splitFields(match[1] ?? '');
  const rawResource = requiredField(fields, 'sr');
  const rawExpiry = requiredField(fields, 'se');
  if (!/^\d{1,12}$/.test(rawExpiry)) throw malformed(what, 'se', 'must be 1 to 12 digits');
  const rawKeyName = fields.get('skn');
  return {
    rawResource,
    resource: percentDecode('sr', rawResource),
    signature: decodeSignature(requiredField(fields, 'sig')),
    expiresAtSeconds: Number(rawExpiry),
    ...(rawKeyName === undefined || rawKeyName === '' ? {} : { keyName: percentDecode('skn', rawKeyName) }),
    stringToSign: new TextEncoder().encode(`${rawResource}\n${rawExpiry}`),
  };
}

/** True when the token was signed with `key`; compares in constant time. Says nothing about resource and expiry. */
export function verifySasSignature(token: ParsedSasToken, key: Uint8Array): boolean {
  const expected = createHmac('sha256', key).update(token.stringToSign).digest();
  return expected.byteLength === token.signature.byteLength && timingSafeEqual(expected, token.signature);
}

const what = 'SAS token';
const scheme = 'SharedAccessSignature';
const signatureBytes = 32;

/** Largest expiry that fits into 12 digits; far beyond any clock. */
const maxExpirySeconds = 999_999_999_999;

function checkExpiry(expiresAtSeconds: number): number {
  if (Number.isInteger(expiresAtSeconds) && expiresAtSeconds >= 0 && expiresAtSeconds <= maxExpirySeconds) {
    return expiresAtSeconds;
  }
  throw new InvalidArgumentError('expiresAtSeconds', 'must be whole seconds since 1970', 'ERR_OUT_OF_RANGE');
}

/** Splits on `&` and on the first `=` of each field; unknown fields are ignored, as on the service. */
function splitFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of text.split('&')) {
    const separator = field.indexOf('=');
    if (separator < 1) throw malformed(what, '$', 'has a field without a name or a value');
    const name = field.slice(0, separator);
    // Two different resources in one token: which one was meant is not ours to guess.
    if (fields.has(name)) throw malformed(what, knownField(name), 'occurs twice');
    fields.set(name, field.slice(separator + 1));
  }
  return fields;
}

function knownField(name: string): string {
  return ['sr', 'sig', 'se', 'skn'].includes(name) ? name : 'a field';
}

function requiredField(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name);
  if (value === undefined || value === '') throw malformed(what, name, 'is missing');
  return value;
}

function percentDecode(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed(what, name, 'is not valid percent-encoding');
  }
}

function decodeSignature(text: string): Uint8Array {
  const signature = decodeBase64(percentDecode('sig', text));
  if (signature === undefined || signature.byteLength !== signatureBytes) {
    throw malformed(what, 'sig', `is not base64 of ${signatureBytes} bytes`);
  }
  return signature;
}
