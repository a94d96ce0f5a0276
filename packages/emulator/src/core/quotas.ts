import type { Clock } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import type { ServiceFault } from './fault.ts';
import { faults } from './fault.ts';
import { TokenBucket } from './token-bucket.ts';

/**
 * Rates above which requests are refused with 429 and a `Retry-After`, and counts above which one more is refused with
 * 403 (403101, an assumption: the service does not document what it answers). Each is without limit when it is absent.
 */
export interface Quotas {
  /** Requests to the service API a minute, 1 to 1,000,000. */
  readonly operationsPerMinute?: number;
  /** Registrations of devices a minute, 1 to 1,000,000. */
  readonly registrationsPerMinute?: number;
  /** Status requests of one device in ten seconds, 1 to 1,000,000. */
  readonly pollsPerTenSeconds?: number;
  /** Individual enrollments, 1 to 1,000,000. */
  readonly maxEnrollments?: number;
  /** Registrations of devices, 1 to 1,000,000. */
  readonly maxRegistrations?: number;
  /** Enrollment groups with certificates, 1 to 1,000,000. */
  readonly maxX509EnrollmentGroups?: number;
  /** Enrollment groups with symmetric keys, 1 to 1,000,000. */
  readonly maxSymmetricKeyEnrollmentGroups?: number;
  /** CA certificates that groups refer to, 1 to 1,000,000. */
  readonly maxCaCertificates?: number;
}

/** The limits that the service documents for one instance. That of 50 linked hubs always holds. */
export const serviceQuotas: Required<Quotas> = Object.freeze({
  operationsPerMinute: 1000,
  registrationsPerMinute: 1000,
  pollsPerTenSeconds: 5,
  maxEnrollments: 1_000_000,
  maxRegistrations: 1_000_000,
  maxX509EnrollmentGroups: 100,
  maxSymmetricKeyEnrollmentGroups: 100,
  maxCaCertificates: 25,
});

/** Counts requests. Each method takes from its quota, or says why the request is refused. */
export interface QuotaKeeper {
  takeOperation(): ServiceFault | undefined;
  takeRegistration(): ServiceFault | undefined;
  takePoll(registrationId: string): ServiceFault | undefined;
}

/** Throws `ERR_OUT_OF_RANGE` for a rate or a count that is none. */
export function checkQuotas(quotas: Quotas): void {
  for (const name of Object.keys(serviceQuotas) as (keyof Quotas)[]) {
    const { [name]: limit = 1 } = quotas;
    if (Number.isInteger(limit) && limit >= 1 && limit <= 1_000_000) continue;
    throw new InvalidArgumentError(
      `options.quotas.${name}`,
      'must be a whole number from 1 to 1000000',
      'ERR_OUT_OF_RANGE',
    );
  }
}

/** Makes the counters of one emulator. */
export function createQuotaKeeper(quotas: Quotas, clock: Pick<Clock, 'now'>): QuotaKeeper {
  const { operationsPerMinute, registrationsPerMinute, pollsPerTenSeconds } = quotas;
  const operations = makeBucket(operationsPerMinute, minuteMs);
  const registrations = makeBucket(registrationsPerMinute, minuteMs);
  const polls = new Map<string, TokenBucket>();

  return {
    takeOperation: () => take(operations, 'requests to the service API'),
    takeRegistration: () => take(registrations, 'registrations'),
    takePoll: (registrationId) => {
      if (pollsPerTenSeconds === undefined) return undefined;
      const key = registrationId.toLowerCase();
      forgetFull();
      const bucket = polls.get(key) ?? new TokenBucket(pollsPerTenSeconds, tenSecondsMs, clock.now());
      // Moved to the end, so that those nobody asks for any more come first.
      polls.delete(key);
      polls.set(key, bucket);
      return take(bucket, `status requests of ${registrationId}`);
    },
  };

  function makeBucket(rate: number | undefined, periodMs: number): TokenBucket | undefined {
    return rate === undefined ? undefined : new TokenBucket(rate, periodMs, clock.now());
  }

  function take(bucket: TokenBucket | undefined, what: string): ServiceFault | undefined {
    const waitMs = bucket?.take(clock.now()) ?? 0;
    if (waitMs === 0) return undefined;
    return faults.throttled(`too many ${what}`, Math.ceil(waitMs / 1000));
  }

  /** A full bucket is as good as none, so the map holds only devices of the last ten seconds, and few more. */
  function forgetFull(): void {
    for (const [key, bucket] of polls) {
      if (!bucket.isFull(clock.now())) return;
      polls.delete(key);
    }
  }
}

const minuteMs = 60_000;
const tenSecondsMs = 10_000;
