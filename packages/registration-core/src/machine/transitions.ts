/**
 * The one table of the registration machine.
 *
 * Rows are tried from top to bottom; the first whose `from`, `on` and `when`
 * match is taken. `step` reads it, and `scripts/render-machine.ts` prints it, so
 * the documented machine is the machine that runs.
 */
import { backOffDelayMs, pollDelayMs } from './retry-policy.ts';
import {
  assignedWithKey,
  assignedWithoutKeyNeeded,
  isTpm,
  isX509,
  lostHandshake,
  operationLost,
  outOfTime,
  repeatable,
  repeatableOnNewConnection,
  resumesChallenge,
  resumesPolling,
  signsTokens,
  stillAssigning,
  tokenRefused,
  tokenRunsOut,
  tracksOperation,
} from './conditions.ts';
import type { Condition } from './conditions.ts';
import type { EventName, EventOf, RegistrationEvent } from './events.ts';
import type {
  RegistrationMachineState,
  RegistrationMemory,
  ResumePoint,
  RunningStateName,
  StateName,
} from './state.ts';
import { runningStates } from './state.ts';

/** One row: on this event, in one of these states, under this condition, the machine goes there. */
export interface Transition {
  readonly from: readonly RunningStateName[];
  readonly on: EventName;
  /** Absent: always. */
  readonly when?: Condition;
  readonly to: StateName;
  /** Immediate effects, before those of entering the new state. */
  readonly emit: readonly ('open-session' | 'forget-token')[];
  /** A method, so that a row may name the one event it handles; `step` passes no other. */
  remember?(state: RegistrationMachineState, event: RegistrationEvent): RegistrationMemory;
}

/** Every transition there is. */
export const transitions: readonly Transition[] = Object.freeze([
  row(['idle'], 'start', 'reading-identity'),

  row(['reading-identity'], 'identity-read', 'awaiting-challenge', {
    when: isTpm,
    emit: ['open-session'],
    remember: rememberIdentity,
  }),
  row(['reading-identity'], 'identity-read', 'signing', {
    when: signsTokens,
    emit: ['open-session'],
    remember: rememberIdentity,
  }),
  row(['reading-identity'], 'identity-read', 'polling', {
    when: tracksOperation,
    emit: ['open-session'],
    remember: rememberIdentity,
  }),
  row(['reading-identity'], 'identity-read', 'registering', {
    when: isX509,
    emit: ['open-session'],
    remember: rememberIdentity,
  }),

  row(['awaiting-challenge'], 'challenge-received', 'activating', {
    remember: ({ memory }, { keyName }) => ({ ...memory, keyName }),
  }),
  row(['activating'], 'key-activated', 'signing'),
  row(['signing'], 'token-signed', 'polling', { when: tracksOperation, remember: rememberToken }),
  row(['signing'], 'token-signed', 'registering', { remember: rememberToken }),

  row(['registering', 'polling'], 'operation-reported', 'storing-credential', {
    when: assignedWithKey,
    emit: ['forget-token'],
    remember: rememberAssignment,
  }),
  row(['registering', 'polling'], 'operation-reported', 'assigned', {
    when: assignedWithoutKeyNeeded,
    remember: rememberAssignment,
  }),
  row(['registering', 'polling'], 'operation-reported', 'waiting', {
    when: stillAssigning,
    remember: awaitNextPoll,
  }),
  row(['registering', 'polling'], 'operation-reported', 'failed'),
  row(['storing-credential'], 'key-activated', 'assigned'),

  row(['waiting', 'backing-off'], 'woke', 'failed', { when: outOfTime }),
  row(['backing-off'], 'woke', 'awaiting-challenge', { when: resumesChallenge }),
  row(['waiting', 'backing-off'], 'woke', 'signing', { when: tokenRunsOut, emit: ['forget-token'] }),
  row(['waiting', 'backing-off'], 'woke', 'polling', { when: resumesPolling }),
  row(['backing-off'], 'woke', 'registering'),

  row(['registering', 'polling'], 'io-failed', 'awaiting-challenge', {
    when: tokenRefused,
    emit: ['forget-token', 'open-session'],
    remember: ({ memory }) => ({ ...memory, tokenRefusals: memory.tokenRefusals + 1 }),
  }),
  row(['polling'], 'io-failed', 'registering', {
    when: operationLost,
    remember: ({ memory }) => ({ ...memory, operationId: undefined, restarts: memory.restarts + 1 }),
  }),
  row(['registering', 'polling'], 'io-failed', 'backing-off', {
    when: lostHandshake,
    emit: ['forget-token', 'open-session'],
    remember: (state, event) => backOff(state, event, 'awaiting-challenge'),
  }),
  row(['awaiting-challenge', 'registering', 'polling'], 'io-failed', 'backing-off', {
    when: repeatableOnNewConnection,
    emit: ['open-session'],
    remember: backOff,
  }),
  row(['awaiting-challenge', 'registering', 'polling'], 'io-failed', 'backing-off', {
    when: repeatable,
    remember: backOff,
  }),

  row(runningStates, 'io-failed', 'failed'),
  row(runningStates, 'deadline-passed', 'failed'),
  row(runningStates, 'abort', 'aborted'),
]);

interface RowDetails<Name extends EventName> {
  readonly when?: Condition;
  readonly emit?: Transition['emit'];
  readonly remember?: (state: RegistrationMachineState, event: EventOf<Name>) => RegistrationMemory;
}

function row<Name extends EventName>(
  from: readonly RunningStateName[],
  on: Name,
  to: StateName,
  { emit = [], ...details }: RowDetails<Name> = {},
): Transition {
  return Object.freeze({ from, on, to, emit, ...details });
}

function rememberIdentity(
  { memory }: RegistrationMachineState,
  event: EventOf<'identity-read'>,
): RegistrationMemory {
  return { ...memory, registrationId: event.registrationId };
}

function rememberToken(
  { memory }: RegistrationMachineState,
  event: EventOf<'token-signed'>,
): RegistrationMemory {
  return { ...memory, tokenExpiresAt: event.expiresAt };
}

function rememberAssignment(
  state: RegistrationMachineState,
  event: EventOf<'operation-reported'>,
): RegistrationMemory {
  const { assignedHub = '', deviceId = '' } = event.operation.registrationState ?? {};
  return { ...rememberOperation(state, event), assignment: { assignedHub, deviceId } };
}

/** The final answer, and some status answers, leave the operation id out. */
function rememberOperation(
  { memory }: RegistrationMachineState,
  { operation }: EventOf<'operation-reported'>,
): RegistrationMemory {
  return operation.operationId === '' ? memory : { ...memory, operationId: operation.operationId };
}

function awaitNextPoll(
  state: RegistrationMachineState,
  event: EventOf<'operation-reported'>,
): RegistrationMemory {
  const delayMs = pollDelayMs(state.settings.policy, event.retryAfterMs);
  return pause(state, rememberOperation(state, event), delayMs, 'polling');
}

function backOff(
  state: RegistrationMachineState,
  { failure, jitter }: EventOf<'io-failed'>,
  resume: ResumePoint = resumePointOf(state.name),
): RegistrationMemory {
  const { memory, settings } = state;
  const delayMs = backOffDelayMs(settings.policy, memory.retries, jitter, failure.retryAfterMs);
  return pause(state, { ...memory, retries: memory.retries + 1 }, delayMs, resume);
}

function resumePointOf(name: StateName): ResumePoint {
  return name === 'awaiting-challenge' || name === 'polling' ? name : 'registering';
}

/** Schedules a pause, cut to what is left of the run's budget. */
function pause(
  { settings }: RegistrationMachineState,
  memory: RegistrationMemory,
  wantedMs: number,
  resume: ResumePoint,
): RegistrationMemory {
  const delayMs = Math.min(wantedMs, settings.maxTotalDelayMs - memory.delayedMs);
  return { ...memory, delayedMs: memory.delayedMs + delayMs, pause: { delayMs, resume } };
}
