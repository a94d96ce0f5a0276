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

/** The memories of all devices, by registration id without regard to case. As many as there are enrollments, at most. */
export class DeviceMemories {
  readonly #memories: Map<string, DeviceMemory> = new Map();

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
}
