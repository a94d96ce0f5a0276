import type { JsonValue, RegistrationOperationStatus } from '@endorse/interface';
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
  readonly payload: JsonValue | undefined;
}

/** An operation with its outcome. */
export interface SettledOperation {
  readonly phase: 'settled';
  readonly operationId: string;
  readonly outcome: RegistrationOperationStatus;
}

/**
 * The operations of one registration: at most one runs, and the last few settled ones
 * stay so that a client that lost an answer can ask again.
 */
export class OperationLog {
  #operations: readonly Operation[] = [];
  #enrollmentGroupId: string | undefined;

  /** The group that spoke for the device when its last operation was accepted, if it was one. */
  get enrollmentGroupId(): string | undefined {
    return this.#enrollmentGroupId;
  }

  /** The running operation, if any. */
  get running(): RunningOperation | undefined {
    const last = this.#operations.at(-1);
    return last?.phase === 'running' ? last : undefined;
  }

  find(operationId: string): Operation | undefined {
    return this.#operations.find((operation) => operation.operationId === operationId);
  }

  /** Adds a running operation; the oldest one beyond the limit is forgotten. */
  start(operation: RunningOperation): void {
    this.#operations = [...this.#operations.slice(1 - maxOperations), operation];
    this.#enrollmentGroupId = operation.device.enrollmentGroupId;
  }

  /** Replaces the running operation by its outcome. */
  settle(outcome: RegistrationOperationStatus): void {
    const { operationId } = outcome;
    this.#operations = this.#operations.map((operation) =>
      operation.operationId === operationId ? { phase: 'settled', operationId, outcome } : operation,
    );
  }
}

// A client remembers one operation; a few more cover repeated PUTs.
const maxOperations = 8;
