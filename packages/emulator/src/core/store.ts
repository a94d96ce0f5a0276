import type { RegistrationState } from '@endorse/interface';
import type { EnrollmentGroup, IndividualEnrollment } from '@endorse/protocol';
import type { HubStore } from '../hub/hub-store.ts';
import type { DeviceMemory } from './device-memory.ts';

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
 * A collection by id. Registration ids, enrollment group ids and names of CA certificates are compared without
 * regard to case, which the store has to see to; device ids of a hub are compared as they are.
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

/** A record and its place in a listing. */
export interface ListedRecord<Record> {
  /** Grows from one new record to the next, and is never used twice; a page can continue after it. */
  readonly position: number;
  /** As it is compared: in lower case where case does not matter. */
  readonly id: string;
  readonly record: Record;
}

/** A collection that can be gone through. */
export interface ListedRecordStore<Record> extends RecordStore<Record> {
  /** Every record, the oldest first. */
  list(): Iterable<Record>;
  /** The same with positions, from the first record after a position (default 0, before all). */
  entries(after?: number): Iterable<ListedRecord<Record>>;
  /** The record with its place in the listing, or undefined when there is none. */
  entry(id: string): ListedRecord<Record> | undefined;
  /** How many records there are. */
  count(): number;
}

/** A collection of which some records belong to an enrollment group. */
export interface GroupedRecordStore<Record> extends ListedRecordStore<Record> {
  /** The records of a group, the oldest first, from the first one after a position (default 0). */
  entriesOfGroup(enrollmentGroupId: string, after?: number): Iterable<ListedRecord<Record>>;
  /** The record with its place in the listing; undefined when there is none, or it is not of the group. */
  entryOfGroup(enrollmentGroupId: string, id: string): ListedRecord<Record> | undefined;
  /** Removes every record of a group. */
  deleteGroup(enrollmentGroupId: string): void;
}

/**
 * Where an emulator keeps what must outlive a request. Registration ids, enrollment group ids and names of
 * CA certificates are compared without regard to case.
 */
export interface EmulatorStore {
  readonly enrollments: ListedRecordStore<EnrollmentRecord>;
  /** Few; gone through whenever a device without an enrollment of its own comes. */
  readonly enrollmentGroups: ListedRecordStore<EnrollmentGroupRecord>;
  readonly caCertificates: ListedRecordStore<CaCertificateRecord>;
  readonly registrations: GroupedRecordStore<RegistrationRecord>;
  /** Challenges and operations, by registration id. */
  readonly deviceMemories: GroupedRecordStore<DeviceMemory>;
  /** What the hub of that name keeps; the same whenever it is asked for. */
  hub(hubName: string): HubStore;
  /**
   * Runs `work` as one step: whatever it writes is there as a whole once this returns, and not at all when it throws.
   * A step inside a step is part of the outer one. A store that cannot take back may let a thrown error stand.
   */
  transaction<Result>(work: () => Result): Result;
}
