import type { RandomSource } from '@endorse/interface';
import { InvalidArgumentError, Secret } from '@endorse/interface';
import { CompactSign } from 'jose';
import type { TokenClaims } from './claims.ts';
import { decodeClaims, encodeClaims, findMalformedClaim } from './claims.ts';
import { TokenKeyError } from './refusal.ts';
import type { TokenKey } from './token-key.ts';
import { tokenReference } from './token-reference.ts';
import { tokenType } from './verify.ts';

/** What a new token is to say; see {@link TokenClaims}. */
export interface MintTokenOptions extends Omit<
  TokenClaims,
  'issuer' | 'issuedAt' | 'expiresAt' | 'audience'
> {
  /** Key to sign with; its issuer becomes `iss`. */
  readonly key: TokenKey;
  /** The time, in milliseconds since 1970. */
  readonly now: number;
  readonly random: RandomSource;
  /** Lifetime in milliseconds, 1,000 to five years; needed but in compatibility mode, where the default is none at all. */
  readonly expiresInMs?: number;
  /** Registrars it is for; default the registration URL. */
  readonly audience?: readonly string[];
  /** Makes a token as the seed does: `iss`, `url`, `iat` and whatever else is given, without `typ`, `jti` and `aud`; default false. */
  readonly compatible?: boolean;
}

/** A new token. */
export interface MintedToken {
  /** The token. Whoever has it can register devices, so it is wrapped: `revealText()` gives it. */
  readonly token: Secret;
  readonly claims: TokenClaims;
  /** The name it is counted, revoked and audited by. */
  readonly reference: string;
}

/** RFC 7519 has no rule; 128 bits are the usual. */
const tokenIdBytes = 16;

/**
 * Mints a registration token.
 *
 * Rejects with `ERR_INVALID_ARGUMENT` for a claim that cannot be said or is missing, `ERR_OUT_OF_RANGE` for a lifetime
 * that is too short, and `ERR_TOKEN_KEY` for a key that cannot sign (`private-key-needed`) or is too weak.
 */
export async function mintToken(options: MintTokenOptions): Promise<MintedToken> {
  const { key, compatible = false } = options;
  if (!key.canSign)
    throw new TokenKeyError('private-key-needed', 'a public key verifies tokens and mints none');
  if (key.isWeak && !compatible) {
    throw new TokenKeyError('secret-too-short', 'a weak secret mints tokens in compatibility mode only');
  }
  const claims = completeClaims(options, compatible);
  const header = {
    alg: key.algorithm,
    typ: compatible ? 'JWT' : tokenType,
    ...(key.keyId === undefined ? {} : { kid: key.keyId }),
  };
  const payload = encodeClaims(claims);
  const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader(header)
    .sign(key.keyObject);
  const signingInput = token.slice(0, token.lastIndexOf('.'));
  return {
    token: Secret.fromText(token),
    claims,
    reference: tokenReference({ issuer: claims.issuer, tokenId: claims.tokenId, signingInput }),
  };
}

function completeClaims(options: MintTokenOptions, compatible: boolean): TokenClaims {
  const { now, expiresInMs, url } = options;
  if (!compatible && expiresInMs === undefined) {
    throw new InvalidArgumentError('options.expiresInMs', 'must say how long the token lives');
  }
  if (expiresInMs !== undefined && !(expiresInMs >= 1000 && expiresInMs <= 5 * 366 * 86_400_000)) {
    throw new InvalidArgumentError(
      'options.expiresInMs',
      'must be one second to five years',
      'ERR_OUT_OF_RANGE',
    );
  }
  if (url !== undefined) requireSecureUrl(url);
  const audience = options.audience ?? (compatible || url === undefined ? undefined : [url]);
  if (!compatible && audience === undefined) {
    throw new InvalidArgumentError(
      'options.audience',
      'must name the registrar, as must options.url otherwise',
    );
  }
  const tokenId =
    options.tokenId ??
    (compatible ? undefined : Buffer.from(options.random.bytes(tokenIdBytes)).toString('base64url'));
  const { notBefore, maxUses, idPattern, recipe, tags, broker, endorsementKey } = options;
  const payload = encodeClaims({
    issuer: options.key.issuer,
    issuedAt: now,
    ...optional({
      url,
      audience,
      tokenId,
      notBefore,
      maxUses,
      idPattern,
      recipe,
      tags,
      broker,
      endorsementKey,
    }),
    ...(expiresInMs === undefined ? {} : { expiresAt: now + expiresInMs }),
  });
  // What we would refuse to read we do not write either.
  const malformed = findMalformedClaim(payload);
  if (malformed !== undefined) {
    const owner = malformed.property === 'issuer' ? 'options.key' : 'options';
    throw new InvalidArgumentError(`${owner}.${malformed.property}`, malformed.rule);
  }
  return decodeClaims(payload);
}

function requireSecureUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'https:') return;
  if (parsed?.protocol === 'http:' && isLoopback(parsed.hostname)) return;
  throw new InvalidArgumentError('options.url', 'must be an https URL (http only to this machine itself)');
}

/** True for names and addresses of this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

function optional<Values extends Readonly<Record<string, unknown>>>(
  values: Values,
): Partial<Defined<Values>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<
    Defined<Values>
  >;
}

type Defined<Values> = { readonly [Name in keyof Values]: Exclude<Values[Name], undefined> };
