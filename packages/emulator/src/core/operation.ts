import type { JsonValue, RegistrationOperationStatus } from '@endorse/interface';
import type { AllocationDecision } from '../allocation/allocation.ts';
import type { DeviceMemory } from './device-memory.ts';
import type { DeviceProof, EnrolledDevice } from './enrolled-device.ts';

/**
 * An operation is `assigning` from the moment it is accepted until the clock passes
 * `dueAt`; then it is settled once, to `assigned` or `failed`, and never changes again.
 * Nothing runs in between: whoever looks next finds it due and settles it.
 */
export type Operation = RunningOperation | SettledOperation;

/** An accepted operation. */
export interface RunningOperation {
  readonly phase: 'running';
  readonly operationId: string;
  /** When its outcome is decided, in milliseconds since 1970. */
  readonly dueAt: number;
  readonly device: EnrolledDevice;
  /** What the device proved when the operation was accepted. */
  readonly proof: DeviceProof;
  /** The device's payload for the allocation. */
  readonly payload?: JsonValue;
  /** What a web-hook has decided. */
  readonly allocation?: AllocationDecision;
}

/** An operation with its outcome. */
export interface SettledOperation {
  readonly phase: 'settled';
  readonly operationId: string;
  readonly outcome: RegistrationOperationStatus;
}

/** The running operation of a device, if any. */
export function findRunning(memory: DeviceMemory | undefined): RunningOperation | undefined {
  const last = memory?.operations.at(-1);
  return last?.phase === 'running' ? last : undefined;
}

/** An operation a device was told of, unless it is too old. */
export function findOperation(memory: DeviceMemory | undefined, operationId: string): Operation | undefined {
  return memory?.operations.find((operation) => operation.operationId === operationId);
}

/** Adds a running operation; the oldest one beyond the limit is forgotten. */
export function startOperation(memory: DeviceMemory, operation: RunningOperation): DeviceMemory {
  const { enrollmentGroupId: _before, operations, ...rest } = memory;
  const { enrollmentGroupId } = operation.device;
  return {
    ...rest,
    operations: [...operations.slice(1 - maxOperations), operation],
    ...(enrollmentGroupId === undefined ? {} : { enrollmentGroupId }),
  };
}

/** Adds to what is known of the running operation. */
export function replaceRunning(memory: DeviceMemory, running: RunningOperation): DeviceMemory {
  return { ...memory, operations: [...memory.operations.slice(0, -1), running] };
}

/** Replaces the running operation by its outcome. */
export function settleOperation(memory: DeviceMemory, outcome: RegistrationOperationStatus): DeviceMemory {
  const { operationId } = outcome;
  const operations = memory.operations.map((operation): Operation =>
    operation.operationId === operationId ? { phase: 'settled', operationId, outcome } : operation,
  );
  return { ...memory, operations };
}

// A client remembers one operation; a few more cover repeated PUTs.
const maxOperations = 8;
