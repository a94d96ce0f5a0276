import type { JsonValue } from '@endorse/interface';
import { createOperationId } from '@endorse/protocol';
import type { AssignmentParts } from './assignment.ts';
import { beginAllocation } from './assignment.ts';
import type { AuthenticatedDevice } from './authenticated-device.ts';
import type { CountLimits } from './count-limits.ts';
import { recall } from './device-memory.ts';
import type { RunningOperation } from './operation.ts';
import { findRunning, startOperation } from './operation.ts';
import type { FaultResponse } from './refusal.ts';
import { refuse } from './refusal.ts';

/** What registrations are accepted with. */
export interface AcceptanceParts extends AssignmentParts {
  readonly idScope: string;
  readonly countLimits: CountLimits;
  /** How long an operation runs, in milliseconds. */
  readonly assigningDurationMs: number;
}

/**
 * Begins the operation of a device that proved itself, or joins the one that is running; returns its id. Refuses a new
 * device where there are as many as a quota allows.
 */
export function acceptRegistration(
  parts: AcceptanceParts,
  { device, enrollment, proof }: AuthenticatedDevice,
  payload: JsonValue | undefined,
): { readonly outcome: 'accepted'; readonly operationId: string } | FaultResponse {
  const { store, idScope, clock, random, emit } = parts;
  const { registrationId } = device;
  const memory = recall(store, registrationId);
  // A repeated request is how every client retries; it joins what is already running.
  const running = findRunning(memory);
  if (running !== undefined) return { outcome: 'accepted', operationId: running.operationId };
  const fault = parts.countLimits.findRegistrationFault(registrationId);
  if (fault !== undefined) return refuse(fault);
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
  return { outcome: 'accepted', operationId };
}
