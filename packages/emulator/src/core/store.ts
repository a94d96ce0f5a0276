import type { RegistrationState } from '@endorse/interface';
import type { EnrollmentGroup, IndividualEnrollment } from '@endorse/protocol';

/** An individual enrollment as the emulator keeps it; its registration state is kept apart. */
export type EnrollmentRecord = Omit<IndividualEnrollment, 'registrationState'> &
  Required<Pick<IndividualEnrollment, 'etag' | 'provisioningStatus' | 'createdDateTimeUtc'>>;

/** An enrollment group as the emulator keeps it. */
export type EnrollmentGroupRecord = EnrollmentGroup &
  Required<Pick<EnrollmentGroup, 'etag' | 'provisioningStatus' | 'createdDateTimeUtc'>>;

/** A CA certificate that enrollment groups may refer to by its name. */
export interface CaCertificateRecord {
  readonly name: string;
  /** PEM, or base64 of DER. */
  readonly certificate: string;
}

/** A registration as the emulator keeps it. The activation blob is not part of it: only the device that asked gets it. */
export type RegistrationRecord = Omit<RegistrationState, 'tpm'> & { readonly registrationId: string };

/**
 * A collection whose keys are registration ids, enrollment group ids or names of CA certificates. All are
 * compared without regard to case, which the store has to see to.
 *
 * Calls are synchronous, so that reading, deciding and writing are one step.
 */
export interface RecordStore<Record> {
  /** The record, or undefined when there is none. */
  get(id: string): Record | undefined;
  /** Writes a record over the one before, if any. */
  set(id: string, record: Record): void;
  /** Removes a record; true when there was one. */
  delete(id: string): boolean;
}

/** A collection that can be gone through. */
export interface ListedRecordStore<Record> extends RecordStore<Record> {
  /** Every record, the oldest first. */
  list(): Iterable<Record>;
}

/** Where an emulator keeps what must outlive a request. */
export interface EmulatorStore {
  readonly enrollments: RecordStore<EnrollmentRecord>;
  /** Few; gone through whenever a device without an enrollment of its own comes. */
  readonly enrollmentGroups: ListedRecordStore<EnrollmentGroupRecord>;
  readonly caCertificates: RecordStore<CaCertificateRecord>;
  readonly registrations: RecordStore<RegistrationRecord>;
}

/** A store that lives and dies with the process. */
export function createMemoryStore(): EmulatorStore {
  return {
    enrollments: memoryRecords(),
    enrollmentGroups: memoryRecords(),
    caCertificates: memoryRecords(),
    registrations: memoryRecords(),
  };
}

function memoryRecords<Record>(): ListedRecordStore<Record> {
  const records = new Map<string, Record>();
  return {
    get: (id) => records.get(id.toLowerCase()),
    set: (id, record) => void records.set(id.toLowerCase(), record),
    delete: (id) => records.delete(id.toLowerCase()),
    list: () => records.values(),
  };
}
