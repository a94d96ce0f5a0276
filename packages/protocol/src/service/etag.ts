import type { RandomSource } from '@endorse/interface';

/**
 * Makes an enrollment's etag: a quoted string, quotes included, of the service's
 * shape, for example `"13003fea-0000-0300-0000-62d1d5e50000"`.
 */
export function createEtag(random: RandomSource): string {
  const hex = Buffer.from(random.bytes(8)).toString('hex');
  return `"${hex.slice(0, 8)}-0000-0300-0000-${hex.slice(8)}0000"`;
}

/** The form an etag has inside a registration state: base64 of the quoted string. */
export function encodeRegistrationEtag(etag: string): string {
  return Buffer.from(etag).toString('base64');
}

/**
 * True when an `If-Match` value names the present etag, or is `*`. Clients quote differently, so one
 * pair of quotes and a `W/` do not count; a list of etags matches when one of them does.
 */
export function matchesEtag(ifMatch: string, etag: string): boolean {
  return ifMatch.split(',').some((candidate) => candidate.trim() === '*' || bare(candidate) === bare(etag));
}

function bare(etag: string): string {
  return etag
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1');
}
