import { InvalidArgumentError } from '@endorse/interface';
import { malformed } from '../json/malformed.ts';

/** Formats milliseconds since 1970 as the service does: UTC, seven fractional digits, `Z`. Throws `ERR_OUT_OF_RANGE`. */
export function formatTimestamp(atMs: number): string {
  const date = new Date(atMs);
  const year = Number.isNaN(date.getTime()) ? -1 : date.getUTCFullYear();
  if (year < 0 || year > 9999) {
    throw new InvalidArgumentError('atMs', 'must be a time between the years 0 and 9999', 'ERR_OUT_OF_RANGE');
  }
  // The service counts in 100 ns ticks; a millisecond clock leaves the last four digits zero.
  return date.toISOString().replace(/Z$/, '0000Z');
}

/**
 * Reads an ISO 8601 time with a zone and up to nine fractional digits, as milliseconds since 1970;
 * digits below a millisecond are cut. Throws `ERR_REMOTE_MALFORMED`.
 */
export function parseTimestamp(text: string): number {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/.exec(text);
  const fraction = (match?.[2] ?? '').padEnd(3, '0').slice(0, 3);
  const atMs = match === null ? Number.NaN : Date.parse(`${match[1]}.${fraction}${match[3]}`);
  if (Number.isNaN(atMs))
    throw malformed('timestamp', '$', 'is not an ISO 8601 time with a zone', { sample: text });
  return atMs;
}
