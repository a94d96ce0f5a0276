import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto';
import { InvalidArgumentError, Secret } from '@endorse/interface';
import { TokenKeyError } from './refusal.ts';

/** Signature algorithms of registration tokens (RFC 7518, RFC 8037). */
export type TokenAlgorithm = 'HS256' | 'ES256' | 'EdDSA';

/**
 * A key for registration tokens: one issuer, one algorithm, and both are the key's, never the token's.
 * Make it with {@link createSecretTokenKey}, {@link createAsymmetricTokenKey} or `tokenKeysFromJwks`.
 */
export interface TokenKey {
  /** The `iss` this key speaks for. */
  readonly issuer: string;
  /** The `kid` it is found by; undefined for the one key of an issuer without any. */
  readonly keyId: string | undefined;
  readonly algorithm: TokenAlgorithm;
  /** The key itself; a `KeyObject` does not show what it holds. */
  readonly keyObject: KeyObject;
  /** True for an HMAC secret below 32 bytes, which compatibility alone takes. */
  readonly isWeak: boolean;
  /** True when tokens can be minted with it. */
  readonly canSign: boolean;
}

/** What names a key; see {@link TokenKey}. */
export interface TokenKeyOptions {
  /** The `iss` this key speaks for: 1 to 255 characters. */
  readonly issuer: string;
  /** The `kid`: 1 to 128 of `A-Z a-z 0-9 . _ ~ -`; default none. */
  readonly keyId?: string;
}

/** RFC 7518 3.2: an HMAC key is at least as long as the hash. */
export const minSecretBytes = 32;

/**
 * Makes an HS256 key of a shared secret. Throws `ERR_TOKEN_KEY` for one below 32 bytes (`secret-too-short`), unless
 * `acceptWeakSecret` takes any that is not empty, and for one that is a key file (`secret-is-a-key-file`): verifying
 * HMACs with a public key is how algorithms get confused.
 */
export function createSecretTokenKey(
  options: TokenKeyOptions & {
    readonly secret: Secret;
    /** Dangerous: takes secrets that can be guessed, as the original does; default false. */
    readonly acceptWeakSecret?: boolean;
  },
): TokenKey {
  const { issuer, keyId } = checkNames(options);
  if (!(options.secret instanceof Secret)) throw new InvalidArgumentError('secret', 'must be a Secret');
  const bytes = options.secret.reveal();
  try {
    const weak = bytes.byteLength < minSecretBytes;
    if (bytes.byteLength === 0) throw new TokenKeyError('secret-empty', 'the secret is empty');
    if (Buffer.from(bytes).includes('-----BEGIN ')) {
      throw new TokenKeyError('secret-is-a-key-file', 'the secret is a PEM file; name it as a key instead');
    }
    if (weak && options.acceptWeakSecret !== true) {
      throw new TokenKeyError(
        'secret-too-short',
        `the secret has ${bytes.byteLength} bytes; HS256 needs at least ${minSecretBytes}`,
        { remedy: 'Make one: openssl rand -base64 48. Only compatibility mode takes a shorter one.' },
      );
    }
    return {
      issuer,
      keyId,
      algorithm: 'HS256',
      keyObject: createSecretKey(bytes),
      isWeak: weak,
      canSign: true,
    };
  } finally {
    bytes.fill(0);
  }
}

/**
 * Makes an ES256 (P-256) or EdDSA (Ed25519) key of a PEM text or a `KeyObject`, public or private.
 * Throws `ERR_TOKEN_KEY` for any other kind (`key-type-refused`) and for what is no key (`key-malformed`).
 */
export function createAsymmetricTokenKey(
  options: TokenKeyOptions & { readonly key: string | KeyObject },
): TokenKey {
  const { issuer, keyId } = checkNames(options);
  const keyObject = typeof options.key === 'string' ? readPem(options.key) : options.key;
  return {
    issuer,
    keyId,
    algorithm: algorithmOf(keyObject),
    keyObject,
    isWeak: false,
    canSign: keyObject.type === 'private',
  };
}

/** Throws `ERR_TOKEN_KEY` with `key-id-twice` when two keys of one issuer have one key id, or both have none and one algorithm. */
export function checkKeySet(keys: readonly TokenKey[]): void {
  const seen = new Set<string>();
  for (const { issuer, keyId, algorithm } of keys) {
    const name = JSON.stringify([issuer, keyId ?? { algorithm }]);
    if (seen.has(name)) {
      throw new TokenKeyError(
        'key-id-twice',
        `two keys of issuer ${issuer} have the key id ${keyId ?? '(none)'}`,
      );
    }
    seen.add(name);
  }
}

/** Checks issuer and key id. Throws `ERR_INVALID_ARGUMENT`, or `ERR_TOKEN_KEY` with `key-id-refused`. */
export function checkNames({ issuer, keyId }: TokenKeyOptions): {
  readonly issuer: string;
  readonly keyId: string | undefined;
} {
  if (typeof issuer !== 'string' || issuer === '' || issuer.length > 255) {
    throw new InvalidArgumentError('issuer', 'must be text of 1 to 255 characters');
  }
  if (keyId !== undefined && !isKeyId(keyId)) {
    throw new TokenKeyError('key-id-refused', 'a key id has 1 to 128 of the characters A-Z a-z 0-9 . _ ~ -');
  }
  return { issuer, keyId };
}

/** True for a `kid` that may be looked up. */
export function isKeyId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9._~-]{1,128}$/.test(value);
}

function readPem(pem: string): KeyObject {
  try {
    return pem.includes('PRIVATE KEY') ? createPrivateKey(pem) : createPublicKey(pem);
  } catch (cause) {
    throw new TokenKeyError('key-malformed', 'the key is no PEM of a public or private key', { cause });
  }
}

/** The one algorithm of an asymmetric key. Throws `ERR_TOKEN_KEY` with `key-type-refused`. */
export function algorithmOf(key: KeyObject): TokenAlgorithm {
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return 'ES256';
  throw new TokenKeyError(
    'key-type-refused',
    `a key of type ${[key.asymmetricKeyType ?? key.type, curve].filter(Boolean).join(' ')} signs no registration tokens; P-256 and Ed25519 do`,
  );
}
