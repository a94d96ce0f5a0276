import type { RegistrationSubstatus } from '@endorse/interface';
import type { TpmKeys } from './activation.ts';
import type { Operation } from './operation.ts';
import type { EmulatorStore } from './store.ts';

/** A challenge that was issued: the key inside, and the TPM it was wrapped for. */
export interface IssuedChallenge extends TpmKeys {
  readonly key: Uint8Array;
}

/** Where the last registration that succeeded put a device. */
export interface RememberedAssignment {
  readonly hubName: string;
  readonly deviceId: string;
  readonly substatus: RegistrationSubstatus;
}

/**
 * What the emulator remembers of one device between its requests. Only enrolled devices, and devices that proved to
 * belong to a group, have a memory. It outlives a restart: a device polls with a token under the key of its challenge.
 */
export interface DeviceMemory {
  /** The last challenge; the only one whose key counts. */
  readonly challenge?: IssuedChallenge;
  /** At most one runs, and it is the last; of the settled ones the latest stay. */
  readonly operations: readonly Operation[];
  readonly assignment?: RememberedAssignment;
  /** The group that spoke for the device when its last operation was accepted, if it was one. */
  readonly enrollmentGroupId?: string;
}

/** The memory of a device; a fresh one when there is none yet. */
export function recall({ deviceMemories }: EmulatorStore, registrationId: string): DeviceMemory {
  return deviceMemories.get(registrationId) ?? blank;
}

const blank: DeviceMemory = Object.freeze({ operations: Object.freeze([]) });
