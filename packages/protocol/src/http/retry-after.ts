import { InvalidArgumentError } from '@endorse/interface';

/** Longest pause a device accepts from a server unless told otherwise, in milliseconds: 5 minutes. */
export const defaultRetryAfterCapMs = 300_000;

/**
 * Reads a `Retry-After` value, whole seconds or one of the three HTTP dates, as milliseconds
 * from `nowMs`; a date in the past is 0. Undefined for anything else, which means "use the
 * default": an unusable hint is no reason to fail. RFC 9110 section 10.2.3.
 */
export function parseRetryAfter(headerValue: string | null | undefined, nowMs: number): number | undefined {
  const text = headerValue?.trim() ?? '';
  if (text === '' || text.length > 64) return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, Number.MAX_SAFE_INTEGER);
  const at = parseHttpDate(text, nowMs);
  return at === undefined ? undefined : Math.max(0, at - nowMs);
}

/** Limits a server's pause to `capMs`; undefined stays undefined. Throws `ERR_OUT_OF_RANGE` for a negative cap. */
export function capRetryAfter(
  retryAfterMs: number | undefined,
  capMs: number = defaultRetryAfterCapMs,
): number | undefined {
  if (!(capMs >= 0)) throw new InvalidArgumentError('capMs', 'must be 0 or more', 'ERR_OUT_OF_RANGE');
  return retryAfterMs === undefined ? undefined : Math.min(Math.max(0, retryAfterMs), capMs);
}

/** Writes a pause as whole seconds, rounded up. Throws `ERR_OUT_OF_RANGE` for a negative one. */
export function formatRetryAfter(retryAfterMs: number): string {
  if (!(retryAfterMs >= 0 && retryAfterMs <= Number.MAX_SAFE_INTEGER)) {
    throw new InvalidArgumentError('retryAfterMs', 'must be 0 or more', 'ERR_OUT_OF_RANGE');
  }
  return String(Math.ceil(retryAfterMs / 1000));
}

/**
 * Reads an HTTP date (RFC 9110 section 5.6.7) as milliseconds since 1970; undefined for anything else.
 * `Date.parse` alone would also take "2019" or "3.5".
 */
export function parseHttpDate(text: string, nowMs: number): number | undefined {
  for (const pattern of [imfFixdate, rfc850Date, asctimeDate]) {
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined) continue;
    const { day = '', month = '', year = '', time = '' } = groups;
    const monthNumber = monthNames.indexOf(month) + 1;
    const iso = `${fullYear(year, nowMs)}-${pad(monthNumber)}-${pad(Number(day))}T${time}Z`;
    const at = Date.parse(iso);
    // Date.parse takes February 30th as March 1st on some dates: only what prints the same is real.
    return !Number.isNaN(at) && new Date(at).toISOString() === iso.replace('Z', '.000Z') ? at : undefined;
  }
  return undefined;
}

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const monthPattern = monthNames.join('|');
const time = String.raw`(?<time>\d{2}:\d{2}:\d{2})`;
const imfFixdate = new RegExp(
  String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d{2}) (?<month>${monthPattern}) (?<year>\d{4}) ${time} GMT$`,
);
const rfc850Date = new RegExp(
  String.raw`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d{2})-(?<month>${monthPattern})-(?<year>\d{2}) ${time} GMT$`,
);
const asctimeDate = new RegExp(
  String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>${monthPattern}) (?<day>[ \d]\d) ${time} (?<year>\d{4})$`,
);

/** Two-digit years mean the century that puts them no more than 50 years ahead. */
function fullYear(year: string, nowMs: number): string {
  if (year.length === 4) return year;
  const thisYear = new Date(nowMs).getUTCFullYear();
  const candidate = Math.floor(thisYear / 100) * 100 + Number(year);
  return String(candidate > thisYear + 50 ? candidate - 100 : candidate);
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
