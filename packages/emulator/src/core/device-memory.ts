import type { TpmKeys } from './activation.ts';
import { OperationLog } from './operation.ts';

/** A challenge that was issued: the key inside, and the TPM it was wrapped for. */
export interface IssuedChallenge extends TpmKeys {
  readonly key: Uint8Array;
}

/** What the emulator remembers of one device between its requests. */
export interface DeviceMemory {
  /** The last challenge; the only one whose key counts. */
  challenge: IssuedChallenge | undefined;
  readonly operations: OperationLog;
}

/** The memories of all devices, by registration id without regard to case. Only enrolled devices, and devices that proved to belong to a group, have one. */
export class DeviceMemories {
  readonly #memories: Map<string, DeviceMemory> = new Map();

  /** The memory of a device, if it has one. */
  find(registrationId: string): DeviceMemory | undefined {
    return this.#memories.get(registrationId.toLowerCase());
  }

  /** The memory of a device; a fresh one when there is none yet. */
  get(registrationId: string): DeviceMemory {
    const key = registrationId.toLowerCase();
    const known = this.#memories.get(key);
    if (known !== undefined) return known;
    const fresh: DeviceMemory = { challenge: undefined, operations: new OperationLog() };
    this.#memories.set(key, fresh);
    return fresh;
  }

  /** Voids challenge and operations, as when the enrollment is deleted. */
  forget(registrationId: string): void {
    this.#memories.delete(registrationId.toLowerCase());
  }

  /** Voids the operations of every device of a group, as when the group is deleted. */
  forgetGroup(enrollmentGroupId: string): void {
    for (const [key, { operations }] of this.#memories) {
      if (operations.enrollmentGroupId?.toLowerCase() === enrollmentGroupId.toLowerCase())
        this.#memories.delete(key);
    }
  }
}
