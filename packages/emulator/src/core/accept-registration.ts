import type { JsonValue } from '@endorse/interface';
import { createOperationId } from '@endorse/protocol';
import type { AssignmentParts } from './assignment.ts';
import { beginAllocation } from './assignment.ts';
import type { AuthenticatedDevice } from './authenticated-device.ts';
import { recall } from './device-memory.ts';
import type { RunningOperation } from './operation.ts';
import { findRunning, startOperation } from './operation.ts';

/** What registrations are accepted with. */
export interface AcceptanceParts extends AssignmentParts {
  readonly idScope: string;
  /** How long an operation runs, in milliseconds. */
  readonly assigningDurationMs: number;
}

/** Begins the operation of a device that proved itself, or joins the one that is running; returns its id. */
export function acceptRegistration(
  parts: AcceptanceParts,
  { device, enrollment, proof }: AuthenticatedDevice,
  payload: JsonValue | undefined,
): string {
  const { store, idScope, clock, random, emit } = parts;
  const { registrationId } = device;
  const memory = recall(store, registrationId);
  // A repeated request is how every client retries; it joins what is already running.
  const running = findRunning(memory);
  if (running !== undefined) return running.operationId;
  const operationId = createOperationId({ idScope, registrationId }, random);
  const operation: RunningOperation = {
    phase: 'running',
    operationId,
    dueAt: clock.now() + parts.assigningDurationMs,
    device,
    proof,
    ...(payload === undefined ? {} : { payload }),
  };
  store.deviceMemories.set(registrationId, startOperation(memory, operation));
  emit({ event: 'registration-started', registrationId, operationId });
  beginAllocation(parts, enrollment, operation);
  return operationId;
}
