import type { EnrollmentPort } from '../ports.ts';
import type { TokenBucket } from './token-bucket.ts';

/** The same port, with every call waiting for its token: the service throttles whole instances, not callers. */
export function throttled(
  { enrollments, registrations }: EnrollmentPort,
  bucket: TokenBucket,
): EnrollmentPort {
  return {
    enrollments: {
      get: async (id, options) => {
        await bucket.take(options.signal);
        return enrollments.get(id, options);
      },
      create: async (enrollment, options) => {
        await bucket.take(options.signal);
        return enrollments.create(enrollment, options);
      },
      update: async (enrollment, options) => {
        await bucket.take(options.signal);
        return enrollments.update(enrollment, options);
      },
      getAttestationMechanism: async (id, options) => {
        await bucket.take(options.signal);
        return enrollments.getAttestationMechanism(id, options);
      },
    },
    registrations: {
      get: async (id, options) => {
        await bucket.take(options.signal);
        return registrations.get(id, options);
      },
    },
  };
}
