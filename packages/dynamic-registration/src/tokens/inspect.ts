import type { TokenClaims } from './claims.ts';
import { decodeClaims } from './claims.ts';
import { decodeCompact } from './compact.ts';
import { tokenReference } from './token-reference.ts';

/** What an unverified token says. */
export interface InspectedToken {
  /** `alg` as written; text or undefined. */
  readonly algorithm: string | undefined;
  readonly keyId: string | undefined;
  readonly type: string | undefined;
  readonly claims: TokenClaims;
  /** The name it is counted, revoked and audited by. */
  readonly reference: string;
}

/**
 * Reads a token without verifying it: what a device does to learn where to register, and an operator to learn what he
 * holds. Nothing it says is true until a registrar has verified it. Throws `ERR_TOKEN_REFUSED` for what is no token.
 */
export function inspectToken(token: unknown): InspectedToken {
  const { header, payload, signingInput } = decodeCompact(token);
  const claims = decodeClaims(payload);
  return {
    algorithm: textOf(header['alg']),
    keyId: textOf(header['kid']),
    type: textOf(header['typ']),
    claims,
    reference: tokenReference({ issuer: claims.issuer, tokenId: claims.tokenId, signingInput }),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
