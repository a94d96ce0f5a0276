import type { RegistrationOperationStatus } from '@endorse/interface';
import { LocalProtocolError } from '@endorse/interface';
import { findAssignmentProblem, hubKeyOf, isInProgress } from './conditions.ts';
import type { RegistrationEffect, RegistrationOutcome } from './effects.ts';
import type { RegistrationEvent } from './events.ts';
import type { RegistrationMachineState, RegistrationMemory, RunningStateName, StateName } from './state.ts';

/** Name of the key in a token that no challenge named. */
const defaultKeyName = 'registration';

/** What entering a state adds to the memory: requests are counted as they are sent. */
export function countEntry(name: StateName, memory: RegistrationMemory): RegistrationMemory {
  switch (name) {
    case 'awaiting-challenge':
      return { ...memory, challenges: memory.challenges + 1 };
    case 'registering':
      return { ...memory, registers: memory.registers + 1 };
    case 'polling':
      return { ...memory, polls: memory.polls + 1 };
    case 'signing':
      return { ...memory, tokenExpiresAt: undefined };
    default:
      return memory;
  }
}

/** The effects of entering `state` from `from` on `event`: its activity, or the end of the run. */
export function entryEffects(
  state: RegistrationMachineState,
  from: RunningStateName,
  event: RegistrationEvent,
): readonly RegistrationEffect[] {
  switch (state.name) {
    case 'idle':
      return [];
    case 'reading-identity':
      return [{ effect: 'read-identity' }];
    case 'awaiting-challenge':
      return [{ effect: 'request-challenge' }];
    case 'activating':
      return [{ effect: 'activate-key', purpose: 'registration', activationBlob: activationBlobOf(event) }];
    case 'signing':
      return [{ effect: 'sign-token', keyName: state.memory.keyName ?? defaultKeyName }];
    case 'registering':
      return [{ effect: 'send-register' }];
    case 'waiting':
    case 'backing-off':
      return [{ effect: 'sleep', delayMs: state.memory.pause?.delayMs ?? 0 }];
    case 'polling':
      return [{ effect: 'query-operation', operationId: state.memory.operationId ?? '' }];
    case 'storing-credential':
      return [{ effect: 'activate-key', purpose: 'hub', activationBlob: activationBlobOf(event) }];
    case 'assigned':
    case 'failed':
    case 'aborted':
      return [{ effect: 'forget-token' }, { effect: 'settle', outcome: outcomeOf(state, from, event) }];
    default:
      return state.name satisfies never;
  }
}

/** How the run ended, given the event that ended it. */
export function outcomeOf(
  state: RegistrationMachineState,
  from: RunningStateName,
  event: RegistrationEvent,
): RegistrationOutcome {
  if (state.name === 'assigned') return { kind: 'assigned' };
  if (event.type === 'abort') return { kind: 'aborted', code: event.code };
  if (event.type === 'io-failed') {
    return { kind: 'failed', why: 'io', code: event.failure.code, error: event.error };
  }
  if (event.type === 'operation-reported') return refusalOf(event.operation, state.memory.operationId);
  return { kind: 'failed', why: 'deadline', code: 'ERR_TIMEOUT', state: from };
}

/** The wrapped key that an event brought; the table enters the activating states on no other event. */
function activationBlobOf(event: RegistrationEvent): Uint8Array {
  if (event.type === 'challenge-received') return event.activationBlob;
  const hubKey = event.type === 'operation-reported' ? hubKeyOf(event.operation) : undefined;
  if (hubKey !== undefined) return hubKey;
  throw new LocalProtocolError('ERR_LOCAL_STATE', `${event.type} brought no key to activate`);
}

function refusalOf(
  operation: RegistrationOperationStatus,
  knownOperationId: string | undefined,
): RegistrationOutcome {
  if (isInProgress(operation, knownOperationId)) {
    return { kind: 'failed', why: 'unfinished', code: 'ERR_REGISTRATION_UNFINISHED', operation };
  }
  switch (operation.status) {
    case 'failed':
      return { kind: 'failed', why: 'rejected', code: 'ERR_REGISTRATION_FAILED', operation };
    case 'disabled':
      return { kind: 'failed', why: 'rejected', code: 'ERR_REGISTRATION_DISABLED', operation };
    case 'unassigned':
      return { kind: 'failed', why: 'rejected', code: 'ERR_REGISTRATION_UNASSIGNED', operation };
    case 'assigning':
      return { kind: 'failed', why: 'unusable', code: 'ERR_REMOTE_UNEXPECTED', path: '$.operationId' };
    case 'assigned': {
      const path = findAssignmentProblem(operation) ?? '$.registrationState.tpm.authenticationKey';
      return { kind: 'failed', why: 'unusable', code: 'ERR_REMOTE_UNEXPECTED', path };
    }
    default:
      operation.status satisfies never;
      return { kind: 'failed', why: 'unusable', code: 'ERR_REMOTE_UNEXPECTED', path: '$.status' };
  }
}
