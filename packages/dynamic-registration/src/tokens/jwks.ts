import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { Secret } from '@endorse/interface';
import { TokenKeyError } from './refusal.ts';
import type { TokenKey } from './token-key.ts';
import { checkKeySet, createAsymmetricTokenKey, createSecretTokenKey, isKeyId } from './token-key.ts';

/** More keys than any rotation has. */
const maxKeys = 64;

/**
 * Reads the keys of a JWK set (RFC 7517, 5) that speak for `issuer`.
 *
 * Unlike the libraries it enforces what a key says of itself: `use` has to be `sig`, `key_ops` has to contain
 * `verify` or `sign`, `alg` has to fit the key. Every key needs a `kid` of its own. Throws `ERR_TOKEN_KEY`.
 */
export function tokenKeysFromJwks(jwks: unknown, options: { readonly issuer: string }): readonly TokenKey[] {
  const list = isRecord(jwks) ? jwks['keys'] : undefined;
  if (!Array.isArray(list) || list.length === 0 || list.length > maxKeys) {
    throw new TokenKeyError('key-malformed', `a JWK set has an array "keys" of 1 to ${maxKeys} keys`);
  }
  const keys = list.map((jwk: unknown) => tokenKeyFromJwk(jwk, options));
  checkKeySet(keys);
  return keys;
}

/** Reads one JWK (RFC 7517, RFC 8037): `oct`, `EC` on P-256 or `OKP` on Ed25519. Throws `ERR_TOKEN_KEY`. */
export function tokenKeyFromJwk(jwk: unknown, { issuer }: { readonly issuer: string }): TokenKey {
  if (!isRecord(jwk)) throw new TokenKeyError('key-malformed', 'a JWK is a JSON object');
  checkUse(jwk);
  const keyId = jwk['kid'];
  if (keyId === undefined) throw new TokenKeyError('key-id-missing', 'a key of a set needs a "kid"');
  if (!isKeyId(keyId)) {
    throw new TokenKeyError('key-id-refused', '"kid" has 1 to 128 of the characters A-Z a-z 0-9 . _ ~ -');
  }
  const key = readKey(jwk, { issuer, keyId });
  const { alg } = jwk;
  const fits = alg === undefined || alg === key.algorithm || (alg === 'Ed25519' && key.algorithm === 'EdDSA');
  if (!fits)
    throw new TokenKeyError('algorithm-mismatch', `"alg" does not fit the key, which is ${key.algorithm}`);
  return key;
}

/** The public JWK set of the asymmetric keys among `keys`, to publish or to give to a server. Shared secrets are left out. */
export function publicJwks(keys: readonly TokenKey[]): {
  readonly keys: readonly Readonly<Record<string, string>>[];
} {
  return {
    keys: keys
      .filter(({ algorithm }) => algorithm !== 'HS256')
      .map(({ keyObject, keyId, algorithm }) => ({
        ...(publicHalf(keyObject).export({ format: 'jwk' }) as Record<string, string>),
        ...(keyId === undefined ? {} : { kid: keyId }),
        alg: algorithm,
        use: 'sig',
      })),
  };
}

/** The public key of an asymmetric key. */
export function publicHalf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}

function checkUse({ use, key_ops: operations }: Readonly<Record<string, unknown>>): void {
  if (use !== undefined && use !== 'sig') {
    throw new TokenKeyError('use-refused', '"use" is not "sig": the key is for something else');
  }
  const allows =
    operations === undefined ||
    (Array.isArray(operations) && (operations.includes('verify') || operations.includes('sign')));
  if (!allows) throw new TokenKeyError('use-refused', '"key_ops" allows neither "verify" nor "sign"');
}

function readKey(
  jwk: Readonly<Record<string, unknown>>,
  names: { readonly issuer: string; readonly keyId: string },
): TokenKey {
  switch (jwk['kty']) {
    case 'oct':
      return createSecretTokenKey({ ...names, secret: Secret.fromBytes(octets(jwk['k'])) });
    case 'EC':
    case 'OKP':
      return createAsymmetricTokenKey({ ...names, key: importJwk(jwk) });
    default:
      throw new TokenKeyError('key-type-refused', '"kty" has to be oct, EC or OKP');
  }
}

function octets(value: unknown): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64url') : undefined;
  if (bytes !== undefined && bytes.toString('base64url') === value) return bytes;
  throw new TokenKeyError('key-malformed', 'a member of the JWK is not canonical base64url');
}

function importJwk(jwk: Readonly<Record<string, unknown>>): KeyObject {
  for (const member of ['x', 'y', 'd']) {
    if (jwk[member] !== undefined) octets(jwk[member]);
  }
  try {
    const key = jwk as JsonWebKey;
    return jwk['d'] === undefined
      ? createPublicKey({ key, format: 'jwk' })
      : createPrivateKey({ key, format: 'jwk' });
  } catch (cause) {
    throw new TokenKeyError('key-malformed', 'the JWK holds no key of its type', { cause });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
