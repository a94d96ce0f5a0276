import type { DeviceMemory } from '../core/device-memory.ts';
import type {
  CaCertificateRecord,
  EnrollmentGroupRecord,
  EnrollmentRecord,
  RegistrationRecord,
} from '../core/store.ts';
import type { DeviceTwin, HubDevice } from '../hub/hub-store.ts';

/** How a collection tells its records apart, and which enrollment group each belongs to. */
export interface RecordKeys<Record> {
  /** Equal for ids of the same record. */
  readonly keyOf: (id: string) => string;
  /** The group in lower case; undefined for none. */
  readonly groupOf: (record: Record) => string | undefined;
  /** True when there are few and all of them are gone through often: they are then kept in memory, ready for use. */
  readonly areFew: boolean;
}

/** The records of every collection of a store, by its name. */
export interface Collections {
  readonly enrollments: EnrollmentRecord;
  readonly enrollmentGroups: EnrollmentGroupRecord;
  readonly caCertificates: CaCertificateRecord;
  readonly registrations: RegistrationRecord;
  readonly deviceMemories: DeviceMemory;
}

/** The same for each hub. */
export interface HubCollections {
  readonly devices: HubDevice;
  readonly twins: DeviceTwin;
}

const ignoringCase = (id: string): string => id.toLowerCase();
const ungrouped = (): undefined => undefined;

/** Keys of the collections; the one list of them. */
export const collectionKeys: { readonly [Name in keyof Collections]: RecordKeys<Collections[Name]> } = {
  enrollments: { keyOf: ignoringCase, groupOf: ungrouped, areFew: false },
  enrollmentGroups: { keyOf: ignoringCase, groupOf: ungrouped, areFew: true },
  caCertificates: { keyOf: ignoringCase, groupOf: ungrouped, areFew: true },
  registrations: {
    keyOf: ignoringCase,
    groupOf: ({ symmetricKey, x509 }) => {
      const group = (symmetricKey ?? x509)?.['enrollmentGroupId'];
      return typeof group === 'string' ? group.toLowerCase() : undefined;
    },
    areFew: false,
  },
  deviceMemories: {
    keyOf: ignoringCase,
    groupOf: ({ enrollmentGroupId }) => enrollmentGroupId?.toLowerCase(),
    areFew: false,
  },
};

/** Keys of the collections of a hub: device ids are told apart by case. */
export const hubCollectionKeys: {
  readonly [Name in keyof HubCollections]: RecordKeys<HubCollections[Name]>;
} = {
  devices: { keyOf: (id) => id, groupOf: ungrouped, areFew: false },
  twins: { keyOf: (id) => id, groupOf: ungrouped, areFew: false },
};
