import type { Clock } from '@endorse/interface';
import type { RateLimits } from './options.ts';
import { createRateLimiter } from './rate-limiter.ts';

/** The limits of one registrar. Waits are whole seconds; 0 means go on. */
export interface Limits {
  /** Takes a request of an address. */
  enter(source: string): number;
  /** Notes a bad token or credential of an address. */
  noteFailure(source: string): void;
  /** Takes a registration with a token, for an id. */
  register(tokenReference: string, manufacturerId: string): number;
}

/** Makes the limiters, or none. */
export function createLimits(limits: Required<RateLimits> | undefined, clock: Clock): Limits {
  if (limits === undefined) return { enter: () => 0, noteFailure: () => undefined, register: () => 0 };
  const perSource = createRateLimiter(limits.perSource, clock);
  const perToken = createRateLimiter(limits.perToken, clock);
  const perId = createRateLimiter(limits.perId, clock);
  const everybody = createRateLimiter(limits.global, clock);
  const failures = createRateLimiter(limits.failures, clock);
  return {
    enter: (source) => Math.max(failures.peek(source), perSource.take(source), everybody.take('')),
    noteFailure: (source) => void failures.take(source),
    register: (reference, id) => Math.max(perToken.take(reference), perId.take(id)),
  };
}
