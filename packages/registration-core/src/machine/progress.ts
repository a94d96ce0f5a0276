import type { RegistrationProgress } from '@endorse/interface';
import type { RegistrationOutcome } from './effects.ts';
import type { RegistrationEvent } from './events.ts';
import type { RegistrationMachineState } from './state.ts';

/** What the listener is told about one step: first what happened, then what happens next. */
export function progressOf(
  state: RegistrationMachineState,
  event: RegistrationEvent,
  outcome: RegistrationOutcome | undefined,
  at: number,
): readonly RegistrationProgress[] {
  return [...progressOfEvent(state, event, at), ...progressOfEntry(state, outcome, at)];
}

function progressOfEvent(
  state: RegistrationMachineState,
  event: RegistrationEvent,
  at: number,
): readonly RegistrationProgress[] {
  switch (event.type) {
    case 'start': {
      const { attestation, carrier } = state.settings;
      return [{ at, event: 'registration-started', attestation, carrier }];
    }
    case 'identity-read':
      return [{ at, event: 'identity-read', registrationId: event.registrationId }];
    case 'challenge-received':
      return [{ at, event: 'challenge-received', activationBlobBytes: event.activationBlob.byteLength }];
    case 'key-activated':
      return [{ at, event: 'key-activated', purpose: state.name === 'assigned' ? 'hub' : 'registration' }];
    case 'token-signed':
      return [{ at, event: 'token-signed', expiresAt: event.expiresAt }];
    case 'operation-reported': {
      const operationId = event.operation.operationId || (state.memory.operationId ?? '');
      return [{ at, event: 'operation-polled', operationId, status: event.operation.status }];
    }
    case 'io-failed':
      return state.name === 'backing-off'
        ? [{ at, event: 'retry-scheduled', attempt: state.memory.retries, code: event.failure.code }]
        : [];
    case 'woke':
    case 'abort':
    case 'deadline-passed':
      return [];
    default:
      return event satisfies never;
  }
}

function progressOfEntry(
  { name, memory }: RegistrationMachineState,
  outcome: RegistrationOutcome | undefined,
  at: number,
): readonly RegistrationProgress[] {
  switch (name) {
    case 'awaiting-challenge':
      return [{ at, event: 'challenge-requested' }];
    case 'registering':
      return [{ at, event: 'register-sent', attempt: memory.registers }];
    case 'waiting':
      return [{ at, event: 'waiting', delayMs: memory.pause?.delayMs ?? 0, reason: 'assigning' }];
    case 'backing-off':
      return [{ at, event: 'waiting', delayMs: memory.pause?.delayMs ?? 0, reason: 'retry' }];
    case 'assigned': {
      const { assignedHub = '', deviceId = '' } = memory.assignment ?? {};
      return [{ at, event: 'registration-assigned', assignedHub, deviceId }];
    }
    case 'failed':
    case 'aborted':
      return outcome !== undefined && outcome.kind !== 'assigned'
        ? [{ at, event: 'registration-failed', code: outcome.code }]
        : [];
    case 'idle':
    case 'reading-identity':
    case 'activating':
    case 'signing':
    case 'polling':
    case 'storing-credential':
      return [];
    default:
      return name satisfies never;
  }
}
