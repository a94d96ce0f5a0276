import type { Clock } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';

/** A token bucket: `burst` at once, then `perMinute`. */
export interface RateLimit {
  /** Requests at once, 1 to 1,000,000. */
  readonly burst: number;
  /** Requests a minute after that, above 0, at most 1,000,000. */
  readonly perMinute: number;
}

/** Counts requests of many callers against one limit. */
export interface RateLimiter {
  /** Takes one; returns 0, or after how many whole seconds there will be one. */
  take(caller: string): number;
  /** How long the caller has to wait, without taking one. */
  peek(caller: string): number;
}

/** Callers that are remembered; the one that was quiet longest is forgotten, and begins anew. */
const maxCallers = 10_000;

/**
 * Makes a limiter in memory: each process counts for itself. Ours, and not one of the libraries, because it takes
 * its time from a clock, bounds its memory whatever comes, and is shorter than an adapter would be.
 * Throws `ERR_OUT_OF_RANGE`.
 */
export function createRateLimiter({ burst, perMinute }: RateLimit, clock: Pick<Clock, 'now'>): RateLimiter {
  if (
    !(Number.isInteger(burst) && burst >= 1 && burst <= 1_000_000 && perMinute > 0 && perMinute <= 1_000_000)
  ) {
    throw new InvalidArgumentError(
      'rateLimits',
      'need burst and perMinute up to 1,000,000',
      'ERR_OUT_OF_RANGE',
    );
  }
  const perMs = perMinute / 60_000;
  const buckets = new Map<string, { tokens: number; at: number }>();
  const refill = (caller: string): { tokens: number; at: number } => {
    const now = clock.now();
    const bucket = buckets.get(caller) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) * perMs);
    bucket.at = now;
    return bucket;
  };
  const waitOf = ({ tokens }: { readonly tokens: number }): number =>
    tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - tokens) / perMs / 1000));
  return {
    take(caller) {
      const bucket = refill(caller);
      const wait = waitOf(bucket);
      if (wait === 0) bucket.tokens -= 1;
      // A map remembers the order of insertion: the first is the one that was quiet longest.
      buckets.delete(caller);
      buckets.set(caller, bucket);
      if (buckets.size > maxCallers) {
        const [oldest] = buckets.keys();
        if (oldest !== undefined) buckets.delete(oldest);
      }
      return wait;
    },
    peek: (caller) => waitOf(refill(caller)),
  };
}
