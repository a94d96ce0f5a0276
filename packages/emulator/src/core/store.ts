import type { RegistrationState } from '@endorse/interface';
import type { EnrollmentGroup, IndividualEnrollment } from '@endorse/protocol';
import type { HubStore } from '../hub/hub-store.ts';

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
 * A collection of records by their ids. Whether case matters in ids is said where a collection is named;
 * the store has to see to that.
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

/**
 * Where an emulator keeps what must outlive a request. Registration ids, enrollment group ids and names of
 * CA certificates are compared without regard to case.
 */
export interface EmulatorStore {
  readonly enrollments: RecordStore<EnrollmentRecord>;
  /** Few; gone through whenever a device without an enrollment of its own comes. */
  readonly enrollmentGroups: ListedRecordStore<EnrollmentGroupRecord>;
  readonly caCertificates: RecordStore<CaCertificateRecord>;
  readonly registrations: RecordStore<RegistrationRecord>;
  /** What a hub keeps of its devices; the same for the same host name. */
  hub(hostName: string): HubStore;
}

/** A store that lives and dies with the process. */
export function createMemoryStore(): EmulatorStore {
  const hubs = new Map<string, HubStore>();
  return {
    enrollments: memoryRecords(ignoreCase),
    enrollmentGroups: memoryRecords(ignoreCase),
    caCertificates: memoryRecords(ignoreCase),
    registrations: memoryRecords(ignoreCase),
    hub: (hostName) => {
      const known = hubs.get(hostName);
      if (known !== undefined) return known;
      const fresh: HubStore = { devices: memoryRecords(keepCase), twins: memoryRecords(keepCase) };
      hubs.set(hostName, fresh);
      return fresh;
    },
  };
}

function memoryRecords<Record>(keyOf: (id: string) => string): ListedRecordStore<Record> {
  const records = new Map<string, Record>();
  return {
    get: (id) => records.get(keyOf(id)),
    set: (id, record) => void records.set(keyOf(id), record),
    delete: (id) => records.delete(keyOf(id)),
    list: () => records.values(),
  };
}

function ignoreCase(id: string): string {
  return id.toLowerCase();
}

function keepCase(id: string): string {
  return id;
}
