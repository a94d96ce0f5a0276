/** What plan and apply have in common: how many at once, how fast, how long. */
import { InvalidArgumentError } from '@endorse/interface';
import type { RetryPolicy } from './support/retry.ts';

/** Bounds of a run. */
export interface RunLimits {
  /** Gateways worked on at once, 1 to 256; default 8. */
  readonly concurrency?: number | undefined;
  /** Calls to the provisioning service a minute, 1 to 100,000; default 600. */
  readonly cloudCallsPerMinute?: number | undefined;
  /** Calls to the service that may be made at once at the start, 1 to 1,000; default 20. */
  readonly cloudBurst?: number | undefined;
  /** Attempts of a step whose error may pass, 1 to 20; default 4. */
  readonly maxAttempts?: number | undefined;
  /** Time for one step and its repetitions, in milliseconds, 1 to 3,600,000; default 120,000. */
  readonly stepTimeoutMs?: number | undefined;
  /** Time for one device beside the wait for its registration, in milliseconds, 1 to 86,400,000; default 900,000. */
  readonly deviceTimeoutMs?: number | undefined;
}

/** Bounds, checked and completed. */
export interface CheckedLimits {
  readonly concurrency: number;
  readonly cloudCallsPerMinute: number;
  readonly cloudBurst: number;
  readonly deviceTimeoutMs: number;
  readonly retry: RetryPolicy;
}

/** Checks and completes bounds. Throws `ERR_OUT_OF_RANGE`. */
export function checkLimits(limits: RunLimits = {}): CheckedLimits {
  return {
    concurrency: integer('limits.concurrency', limits.concurrency ?? 8, 256),
    cloudCallsPerMinute: integer('limits.cloudCallsPerMinute', limits.cloudCallsPerMinute ?? 600, 100_000),
    cloudBurst: integer('limits.cloudBurst', limits.cloudBurst ?? 20, 1000),
    deviceTimeoutMs: integer('limits.deviceTimeoutMs', limits.deviceTimeoutMs ?? 900_000, 86_400_000),
    retry: {
      maxAttempts: integer('limits.maxAttempts', limits.maxAttempts ?? 4, 20),
      firstDelayMs: 1000,
      maxDelayMs: 15_000,
      deadlineMs: integer('limits.stepTimeoutMs', limits.stepTimeoutMs ?? 120_000, 3_600_000),
    },
  };
}

function integer(argument: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new InvalidArgumentError(argument, `must be an integer from 1 to ${most}`, 'ERR_OUT_OF_RANGE');
}
