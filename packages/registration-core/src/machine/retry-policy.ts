import { InvalidArgumentError } from '@endorse/interface';

/** How often and how long a registration tries. Every number is a bound on what a peer can make the device do. */
export interface RetryPolicy {
  /** Requests repeated after 408, 429, 5xx, a lost connection or a timed-out request, in the whole run; default 8, 0 to 100. */
  readonly maxRetries: number;
  /** First back-off ceiling, doubled with every retry; default 1000 ms, 1 to 60,000. */
  readonly baseDelayMs: number;
  /** Highest back-off ceiling; default 30,000 ms, 1 to 600,000. */
  readonly maxDelayMs: number;
  /** Longest pause that a service may ask for; default 60,000 ms, 0 to 3,600,000. */
  readonly maxRetryAfterMs: number;
  /** Pause between status requests when the service does not say; default 2000 ms, 1 to 600,000. */
  readonly pollDelayMs: number;
  /** Status requests after which a service that is still assigning is given up; default 500, 1 to 100,000. */
  readonly maxPolls: number;
  /** TPM: fresh challenges asked for because a token was refused with 401; default 1, 0 to 10. Each writes to the TPM. */
  readonly maxTokenRefusals: number;
  /** Fresh registrations because the service no longer knows the operation; default 1, 0 to 10. */
  readonly maxRestarts: number;
}

/** The defaults of {@link RetryPolicy}. */
export const defaultRetryPolicy: RetryPolicy = Object.freeze({
  maxRetries: 8,
  baseDelayMs: 1000,
  maxDelayMs: 30_000,
  maxRetryAfterMs: 60_000,
  pollDelayMs: 2000,
  maxPolls: 500,
  maxTokenRefusals: 1,
  maxRestarts: 1,
});

const ranges: Readonly<Record<keyof RetryPolicy, readonly [number, number]>> = {
  maxRetries: [0, 100],
  baseDelayMs: [1, 60_000],
  maxDelayMs: [1, 600_000],
  maxRetryAfterMs: [0, 3_600_000],
  pollDelayMs: [1, 600_000],
  maxPolls: [1, 100_000],
  maxTokenRefusals: [0, 10],
  maxRestarts: [0, 10],
};

/** Fills in the defaults. Throws `ERR_OUT_OF_RANGE` for a number outside its range and `ERR_INVALID_ARGUMENT` for an unknown name. */
export function createRetryPolicy(given: Partial<RetryPolicy> = {}, argument = 'retry'): RetryPolicy {
  if (typeof given !== 'object' || given === null)
    throw new InvalidArgumentError(argument, 'must be an object');
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(ranges, name)) {
      throw new InvalidArgumentError(`${argument}.${name}`, 'is not an option of the retry policy');
    }
  }
  const policy = { ...defaultRetryPolicy };
  for (const name of Object.keys(ranges) as (keyof RetryPolicy)[]) {
    const value = given[name] ?? defaultRetryPolicy[name];
    const [low, high] = ranges[name];
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new InvalidArgumentError(
        `${argument}.${name}`,
        `must be an integer from ${low} to ${high}`,
        'ERR_OUT_OF_RANGE',
      );
    }
    Object.assign(policy, { [name]: value });
  }
  return Object.freeze(policy);
}

/**
 * The pause before a repeated request, in milliseconds.
 *
 * What the service asked for, capped; otherwise full jitter: anything from 0 to
 * the ceiling, so that a fleet that lost its connection together does not come
 * back together. `retries` counts the retries before this one, `jitter` is 0 or
 * more and less than 1.
 */
export function backOffDelayMs(
  policy: RetryPolicy,
  retries: number,
  jitter: number,
  retryAfterMs?: number,
): number {
  const asked = capRetryAfterMs(policy, retryAfterMs);
  if (asked !== undefined) return asked;
  // 2^31 would overflow nothing here, but a ceiling is reached long before that.
  const ceiling = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** Math.min(retries, 30));
  return Math.floor(Math.min(Math.max(jitter, 0), 1) * ceiling);
}

/** The pause before the next status request, in milliseconds: what the service asked for, capped, or the default. */
export function pollDelayMs(policy: RetryPolicy, retryAfterMs?: number): number {
  return capRetryAfterMs(policy, retryAfterMs) ?? policy.pollDelayMs;
}

/** A transport that reports nonsense (NaN for an HTTP date it cannot read) counts as silent. */
function capRetryAfterMs(policy: RetryPolicy, retryAfterMs: number | undefined): number | undefined {
  if (retryAfterMs === undefined || !(retryAfterMs >= 0)) return undefined;
  return Math.min(Math.ceil(retryAfterMs), policy.maxRetryAfterMs);
}
