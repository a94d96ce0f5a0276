import { InvalidArgumentError } from '@endorse/interface';
import { malformed } from '../json/malformed.ts';

/** The `api-version` that the device API is called with by default; what the official C client sends. */
export const defaultApiVersion = '2021-06-01';

/** The `api-version` that the service API is called with by default; the newest widely used stable one. */
export const defaultServiceApiVersion = '2021-10-01';

/** The `api-version` of the hub's device endpoint. */
export const defaultHubApiVersion = '2021-04-12';

/** An `api-version`, taken apart. */
export interface ApiVersion {
  /** As it was sent. */
  readonly text: string;
  /** Its date, `YYYY-MM-DD`. */
  readonly date: string;
  /** True with the suffix `-preview`. */
  readonly preview: boolean;
}

/**
 * Decodes the `api-version` of a request: `YYYY-MM-DD`, optionally followed by `-preview`.
 * Throws `ERR_REMOTE_MALFORMED` when it is missing or of another shape.
 */
export function parseApiVersion(text: string | null | undefined): ApiVersion {
  if (text === null || text === undefined || text === '') {
    throw malformed('request target', 'api-version', 'is missing');
  }
  const match = pattern.exec(text);
  if (match === null || !isCalendarDate(match[1] ?? '')) {
    throw malformed('request target', 'api-version', 'must be YYYY-MM-DD or YYYY-MM-DD-preview', {
      sample: text,
    });
  }
  return Object.freeze({ text, date: match[1] ?? '', preview: match[2] !== undefined });
}

/** Returns a caller's `api-version` unchanged. Throws `ERR_INVALID_ARGUMENT` unless it has the right shape. */
export function validateApiVersion(apiVersion: string, argument = 'apiVersion'): string {
  const match = typeof apiVersion === 'string' ? pattern.exec(apiVersion) : null;
  if (match === null || !isCalendarDate(match[1] ?? '')) {
    throw new InvalidArgumentError(argument, 'must be YYYY-MM-DD or YYYY-MM-DD-preview');
  }
  return apiVersion;
}

const pattern = /^(\d{4}-\d{2}-\d{2})(-preview)?$/;

function isCalendarDate(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}
