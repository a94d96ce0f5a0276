import type { RegistrationState } from '@endorse/interface';
import type { IndividualEnrollment } from '@endorse/protocol';

/** An individual enrollment as the emulator keeps it; its registration state is kept apart. */
export type EnrollmentRecord = Omit<IndividualEnrollment, 'registrationState'> &
  Required<Pick<IndividualEnrollment, 'etag' | 'provisioningStatus' | 'createdDateTimeUtc'>>;

/** A registration as the emulator keeps it. The activation blob is not part of it: only the device that asked gets it. */
export type RegistrationRecord = Omit<RegistrationState, 'tpm'> & { readonly registrationId: string };

/**
 * A collection whose keys are registration ids. Registration ids are compared
 * without regard to case, which the store has to see to.
 *
 * Calls are synchronous, so that reading, deciding and writing are one step.
 */
export interface RecordStore<Record> {
  /** The record, or undefined when there is none. */
  get(registrationId: string): Record | undefined;
  /** Writes a record over the one before, if any. */
  set(registrationId: string, record: Record): void;
  /** Removes a record; true when there was one. */
  delete(registrationId: string): boolean;
}

/** Where an emulator keeps what must outlive a request. */
export interface EmulatorStore {
  readonly enrollments: RecordStore<EnrollmentRecord>;
  readonly registrations: RecordStore<RegistrationRecord>;
}

/** A store that lives and dies with the process. */
export function createMemoryStore(): EmulatorStore {
  return { enrollments: memoryRecords(), registrations: memoryRecords() };
}

function memoryRecords<Record>(): RecordStore<Record> {
  const records = new Map<string, Record>();
  return {
    get: (registrationId) => records.get(registrationId.toLowerCase()),
    set: (registrationId, record) => void records.set(registrationId.toLowerCase(), record),
    delete: (registrationId) => records.delete(registrationId.toLowerCase()),
  };
}
