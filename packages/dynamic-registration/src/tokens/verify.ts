import { InvalidArgumentError } from '@endorse/interface';
import { compactVerify } from 'jose';
import type { TokenClaims } from './claims.ts';
import { decodeClaims } from './claims.ts';
import type { CompactToken } from './compact.ts';
import { decodeCompact } from './compact.ts';
import { publicHalf } from './jwks.ts';
import { TokenRefusedError } from './refusal.ts';
import type { TokenAlgorithm, TokenKey } from './token-key.ts';
import { isKeyId } from './token-key.ts';
import { tokenReference } from './token-reference.ts';

/** `typ` of a registration token (RFC 8725, 3.11). */
export const tokenType = 'device-registration+jwt';

/** What a token lacks of what strict mode demands. */
export type TokenWeakness =
  | 'no-expiry'
  | 'no-token-id'
  | 'no-audience'
  | 'no-type'
  | 'no-key-id'
  | 'weak-secret';

/** Options of {@link verifyToken}. */
export interface VerifyTokenOptions {
  /** Every key that is good now; during a rotation the old and the new one. */
  readonly keys: readonly TokenKey[];
  /** What `aud` has to name: the registration URL, or a name of this registrar. Ignored, when the token has none, in compatibility mode. */
  readonly audience: readonly string[];
  /** The time, in milliseconds since 1970. */
  readonly now: number;
  /** Takes tokens without `exp`, `jti`, `aud` and `typ`, and reports what is missing; default false. */
  readonly compatible?: boolean;
  /** How far clocks may be apart, in milliseconds, 0 to 300,000; default 5,000. */
  readonly clockToleranceMs?: number;
  /** The longest time from `iat` (or now) to `exp` that is taken, in milliseconds; default five years. */
  readonly maxLifetimeMs?: number;
}

/** A token whose signature and claims hold. */
export interface VerifiedToken {
  readonly claims: TokenClaims;
  /** The name it is counted, revoked and audited by. */
  readonly reference: string;
  readonly keyId: string | undefined;
  readonly algorithm: TokenAlgorithm;
  /** Empty in strict mode, but for `no-key-id`. */
  readonly weaknesses: readonly TokenWeakness[];
}

const defaultClockToleranceMs = 5_000;
const defaultMaxLifetimeMs = 5 * 366 * 86_400_000;

/**
 * Verifies a registration token: canonical form, header, key, signature, then claims.
 *
 * Key and algorithm are the caller's: `kid` only selects among `keys`, and `alg` has to be that of the key. Nothing a
 * token points at (`jku`, `jwk`, `x5u`, `x5c`) is followed; such a token is refused. The signature is checked by jose.
 * Use counts, revocation and id patterns are the store's and the registrar's.
 * Rejects with `ERR_TOKEN_REFUSED` and its `reason`, or with `ERR_INVALID_ARGUMENT` for unusable options.
 */
export async function verifyToken(token: unknown, options: VerifyTokenOptions): Promise<VerifiedToken> {
  const compatible = options.compatible ?? false;
  const tolerance = options.clockToleranceMs ?? defaultClockToleranceMs;
  if (!(tolerance >= 0 && tolerance <= 300_000)) {
    throw new InvalidArgumentError('options.clockToleranceMs', 'must be 0 to 300,000', 'ERR_OUT_OF_RANGE');
  }
  const compact = decodeCompact(token);
  const algorithm = checkHeader(compact.header);
  const key = selectKey(compact, algorithm, options.keys, compatible);
  await checkSignature(String(token), key, String(compact.header['alg']));
  // Only what the key's owner wrote is worth a reason of its own.
  checkType(compact.header['typ'], compatible);
  const claims = decodeClaims(compact.payload);
  const weaknesses = findWeaknesses(claims, compact.header, key);
  if (!compatible) requireStrong(weaknesses);
  checkAudience(claims, options.audience);
  checkTimes(claims, options.now, tolerance, options.maxLifetimeMs ?? defaultMaxLifetimeMs);
  const reference = tokenReference({
    issuer: claims.issuer,
    tokenId: claims.tokenId,
    signingInput: compact.signingInput,
  });
  return { claims, reference, keyId: key.keyId, algorithm: key.algorithm, weaknesses };
}

/** Members that name a key or change what is signed: nothing a registration token needs, and each the root of an attack. */
const refusedMembers = [
  'jku',
  'jwk',
  'x5u',
  'x5c',
  'x5t',
  'x5t#S256',
  'b64',
  'zip',
  'enc',
  'epk',
  'p2c',
  'p2s',
];

function checkHeader(header: Readonly<Record<string, unknown>>): TokenAlgorithm {
  const { alg } = header;
  if (alg !== 'HS256' && alg !== 'ES256' && alg !== 'EdDSA' && alg !== 'Ed25519') {
    throw new TokenRefusedError('algorithm-refused', 'the algorithm is not HS256, ES256, EdDSA or Ed25519');
  }
  if (Object.hasOwn(header, 'crit')) {
    throw new TokenRefusedError('critical-header', 'the header demands an extension ("crit")');
  }
  const refused = refusedMembers.find((name) => Object.hasOwn(header, name));
  if (refused !== undefined) {
    throw new TokenRefusedError('header-refused', `the header has "${refused}", which nothing here needs`);
  }
  return alg === 'Ed25519' ? 'EdDSA' : alg;
}

function selectKey(
  { header, payload }: CompactToken,
  algorithm: TokenAlgorithm,
  keys: readonly TokenKey[],
  compatible: boolean,
): TokenKey {
  const { kid } = header;
  if (Object.hasOwn(header, 'kid') && !isKeyId(kid)) {
    throw new TokenRefusedError('header-refused', '"kid" is no key id');
  }
  // Two issuers may use one key id: the key is found by both names.
  const ofIssuer = keys.filter(({ issuer }) => issuer === payload['iss']);
  const named = ofIssuer.filter(
    ({ keyId }) => kid === undefined || keyId === kid || (compatible && keyId === undefined),
  );
  const fitting = named.filter((key) => key.algorithm === algorithm && (compatible || !key.isWeak));
  const [key, ...others] = fitting;
  if (key === undefined) {
    if (named.length > 0) {
      throw new TokenRefusedError(
        'algorithm-refused',
        'the key it names is for another algorithm, or too weak',
      );
    }
    throw new TokenRefusedError('key-unknown', 'there is no key of its issuer and key id');
  }
  const exact = fitting.find(({ keyId }) => keyId === kid);
  if (others.length > 0 && exact === undefined) {
    throw new TokenRefusedError('key-ambiguous', 'it names no key, and its issuer has several');
  }
  return exact ?? key;
}

async function checkSignature(token: string, key: TokenKey, alg: string): Promise<void> {
  const material = key.algorithm === 'HS256' ? key.keyObject : publicHalf(key.keyObject);
  try {
    await compactVerify(token, material, { algorithms: [alg] });
  } catch (cause) {
    throw new TokenRefusedError('signature-invalid', 'the signature does not fit the key', { cause });
  }
}

function checkType(typ: unknown, compatible: boolean): void {
  if (typ === tokenType || typ === `application/${tokenType}`) return;
  // The seed's platform writes JWT or nothing. Any other type belongs to a token for something else.
  if (compatible && (typ === undefined || typ === 'JWT')) return;
  throw new TokenRefusedError('type-refused', `"typ" is not ${tokenType}: the token is for something else`);
}

function findWeaknesses(
  claims: TokenClaims,
  header: Readonly<Record<string, unknown>>,
  key: TokenKey,
): readonly TokenWeakness[] {
  return [
    ...(claims.expiresAt === undefined ? (['no-expiry'] as const) : []),
    ...(claims.tokenId === undefined ? (['no-token-id'] as const) : []),
    ...(claims.audience === undefined ? (['no-audience'] as const) : []),
    ...(header['typ'] === undefined || header['typ'] === 'JWT' ? (['no-type'] as const) : []),
    ...(header['kid'] === undefined ? (['no-key-id'] as const) : []),
    ...(key.isWeak ? (['weak-secret'] as const) : []),
  ];
}

const missingClaims: Readonly<Partial<Record<TokenWeakness, string>>> = {
  'no-expiry': 'exp',
  'no-token-id': 'jti',
  'no-audience': 'aud',
};

function requireStrong(weaknesses: readonly TokenWeakness[]): void {
  for (const weakness of weaknesses) {
    const claim = missingClaims[weakness];
    if (claim === undefined) continue;
    throw new TokenRefusedError('claim-missing', `there is no claim "${claim}"`, {
      remedy: 'Mint a token with it, or turn compatibility on.',
    });
  }
}

function checkAudience({ audience }: TokenClaims, accepted: readonly string[]): void {
  if (audience === undefined || audience.some((name) => accepted.includes(name))) return;
  throw new TokenRefusedError('audience-refused', 'it is for another registrar');
}

function checkTimes(claims: TokenClaims, now: number, toleranceMs: number, maxLifetimeMs: number): void {
  const { expiresAt, notBefore, issuedAt } = claims;
  if (expiresAt !== undefined && now - toleranceMs >= expiresAt) {
    throw new TokenRefusedError('expired', `it expired at ${new Date(expiresAt).toISOString()}`);
  }
  if (notBefore !== undefined && now + toleranceMs < notBefore) {
    throw new TokenRefusedError('not-yet-valid', `it is good from ${new Date(notBefore).toISOString()} on`);
  }
  if (issuedAt !== undefined && now + toleranceMs < issuedAt) {
    throw new TokenRefusedError('issued-in-the-future', `it was made at ${new Date(issuedAt).toISOString()}`);
  }
  if (expiresAt !== undefined && expiresAt - (issuedAt ?? now) > maxLifetimeMs) {
    throw new TokenRefusedError('lifetime-too-long', 'it lives longer than tokens may');
  }
}
