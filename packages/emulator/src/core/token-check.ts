import { isEndorseError } from '@endorse/interface';
import type { ParsedSasToken } from '@endorse/protocol';
import { parseSasToken, verifySasSignature } from '@endorse/protocol';

/** A token that could be read, or why not. */
export type TokenReading =
  | { readonly ok: true; readonly token: ParsedSasToken }
  | { readonly ok: false; readonly reason: string };

/** Reads the value of an `Authorization` header (or the SAS of another carrier). */
export function readToken(text: string | undefined): TokenReading {
  if (text === undefined || text === '') return { ok: false, reason: 'the request carries no token' };
  try {
    return { ok: true, token: parseSasToken(text) };
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    return { ok: false, reason: error.message };
  }
}

/** What a token has to fulfil beside its resource. */
export interface TokenExpectation {
  /** Any one of them may have signed it. */
  readonly keys: readonly Uint8Array[];
  /** The service's time, in milliseconds since 1970. */
  readonly now: number;
}

/** Why a token is no good; undefined when it is. Tells nothing about the key. */
export function findTokenProblem(token: ParsedSasToken, { keys, now }: TokenExpectation): string | undefined {
  // Every key is tried, so that the time taken does not tell which one fits.
  const matches = keys.filter((key) => verifySasSignature(token, key));
  if (matches.length === 0) return 'the signature of the token does not match';
  const lateMs = now - token.expiresAtSeconds * 1000;
  if (lateMs < 0) return undefined;
  return `the token expired ${Math.ceil(lateMs / 1000)} s before the service's time ${new Date(now).toISOString()}`;
}

/** Compares the resource of a token with what is asked for: decoded, without regard to case. */
export function isSameResource(token: ParsedSasToken, resource: string): boolean {
  return token.resource.toLowerCase() === resource.toLowerCase();
}

/** Splits `host[:port][/path]` as it stands in a service or hub token; the host in lower case, without port and brackets. */
export function splitHostResource(resource: string): { readonly host: string; readonly path: string } {
  const slash = resource.indexOf('/');
  const authority = (slash < 0 ? resource : resource.slice(0, slash)).toLowerCase();
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(authority);
  return { host: match?.[1] ?? match?.[2] ?? authority, path: slash < 0 ? '' : resource.slice(slash + 1) };
}
