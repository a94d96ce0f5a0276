import { createHash } from 'node:crypto';

/**
 * The name under which a token is counted, revoked and audited: `jti:…` from issuer and `jti`, or, for a token
 * without one, `sig:…` from the bytes that its signature covers. Never the whole text: that has many spellings.
 */
export function tokenReference(token: {
  readonly issuer: string;
  readonly tokenId: string | undefined;
  readonly signingInput: string;
}): string {
  return token.tokenId === undefined
    ? `sig:${digest(token.signingInput)}`
    : referenceOfTokenId(token.issuer, token.tokenId);
}

/** The reference of the token of `issuer` with the `jti` `tokenId`. */
export function referenceOfTokenId(issuer: string, tokenId: string): string {
  return `jti:${digest(JSON.stringify([issuer, tokenId]))}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
