import type { AttestationMechanism } from '@endorse/protocol';
import type { ServiceFault } from './fault.ts';
import { faults } from './fault.ts';
import type { Quotas } from './quotas.ts';
import type { EmulatorStore, RecordStore } from './store.ts';

/** Says why one more record is refused. What is there already may be replaced, however many there are. */
export interface CountLimits {
  findEnrollmentFault(registrationId: string): ServiceFault | undefined;
  findGroupFault(
    enrollmentGroupId: string,
    attestation: AttestationMechanism['type'],
  ): ServiceFault | undefined;
  /** Registrations count once they are decided: those under way when the last place is taken are let through. */
  findRegistrationFault(registrationId: string): ServiceFault | undefined;
  findCaCertificateFault(name: string): ServiceFault | undefined;
}

/** Makes the limits of one emulator over its store. */
export function createCountLimits(quotas: Quotas, store: EmulatorStore): CountLimits {
  const { enrollments, enrollmentGroups, registrations, caCertificates } = store;
  return {
    findEnrollmentFault: (id) => findFault(enrollments, id, quotas.maxEnrollments, 'enrollments'),
    findRegistrationFault: (id) => findFault(registrations, id, quotas.maxRegistrations, 'registrations'),
    findCaCertificateFault: (name) =>
      findFault(caCertificates, name, quotas.maxCaCertificates, 'CA certificates'),
    findGroupFault: (enrollmentGroupId, type) => {
      const limit = groupLimit(type);
      if (limit === undefined || enrollmentGroups.get(enrollmentGroupId)?.attestation.type === type)
        return undefined;
      let count = 0;
      for (const { attestation } of enrollmentGroups.list()) if (attestation.type === type) count += 1;
      return count < limit ? undefined : full(limit, `enrollment groups of ${type}`);
    },
  };

  function groupLimit(type: AttestationMechanism['type']): number | undefined {
    switch (type) {
      case 'x509':
        return quotas.maxX509EnrollmentGroups;
      case 'symmetricKey':
        return quotas.maxSymmetricKeyEnrollmentGroups;
      case 'tpm':
      case 'none':
        // No group has these.
        return undefined;
      default:
        return type satisfies never;
    }
  }
}

function findFault(
  records: RecordStore<unknown> & { count(): number },
  id: string,
  limit: number | undefined,
  what: string,
): ServiceFault | undefined {
  if (limit === undefined || records.count() < limit || records.get(id) !== undefined) return undefined;
  return full(limit, what);
}

function full(limit: number, what: string): ServiceFault {
  return faults.quotaExceeded(`the limit of ${limit} ${what} is reached`);
}
