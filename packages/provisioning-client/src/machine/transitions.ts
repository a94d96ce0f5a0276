/**
 * The one table of the machine.
 *
 * Rows are tried from top to bottom; the first whose `from`, `on` and `when` match is taken. `step` reads it, and
 * `scripts/render-machine.ts` prints it, so the documented machine is the machine that runs.
 */
import { ProvDeviceRegStatus } from '../results.ts';
import type { Condition } from './conditions.ts';
import {
  anyOtherAnswer,
  assigned,
  assignedWithKey,
  assignedWithoutKey,
  begun,
  challengeLeft,
  deadlinePassed,
  mayConnect,
  mayGoOn,
  mayPoll,
  mayRepeat,
  mayStartOver,
  noPollsLeft,
  nothingAsked,
  stillAssigning,
  waitedTooLong,
  waiting,
} from './conditions.ts';
import type { EffectName } from './effects.ts';
import type { EventName, EventOf, MachineEvent } from './events.ts';
import type { StepContext } from './memory.ts';
import {
  arm,
  confirmAndWait,
  connect,
  fail,
  forget,
  giveUpPolling,
  hold,
  pollAndWait,
  pollLater,
  refuse,
  retry,
  timeOut,
  wait,
  waitSinceStart,
  watch,
} from './memory.ts';
import type { MachineState, Run, StateName } from './state.ts';

/** One row: on this event, in one of these states, under this condition, the machine goes there. */
export interface Transition {
  readonly from: readonly StateName[];
  readonly on: EventName;
  /** Absent: always. */
  readonly when?: Condition;
  readonly to: StateName;
  /** Effects, in order; `report` is implied by `status`. */
  readonly does: readonly EffectName[];
  /** The status told, unless the run was there already. */
  readonly status?: ProvDeviceRegStatus;
  /** True when something goes out to the service; then the `doWork()` that took the row takes no other. */
  readonly sends: boolean;
  /** A method, so that a row may name the one event it handles; `step` passes no other. */
  remember(state: MachineState, event: MachineEvent, context: StepContext): Run;
}

/** The states in which a run is under way; in `READY` it may be. */
const underWay: readonly StateName[] = [
  'READY',
  'REGISTER_SEND',
  'REGISTER_SENT',
  'REGISTER_RECV',
  'CONFIRM_SEND',
  'CONFIRM_SENT',
  'CONFIRM_RECV',
  'STATUS_SEND',
  'URL_REQ_SEND',
  'URL_REQ_SENT',
  'URL_REQ_RECV',
];
const { CONNECTED, REGISTERING, ASSIGNING, ASSIGNED, ERROR } = ProvDeviceRegStatus;

/** Every transition there is. */
export const transitions: readonly Transition[] = Object.freeze([
  row(['READY'], 'register', 'READY', { when: nothingAsked, remember: arm }),

  row(['READY'], 'opened', 'REGISTER_SEND', { when: waiting, status: CONNECTED, remember: connect }),
  row(['REGISTER_SEND'], 'prepared', 'REGISTER_SENT', {
    when: waiting,
    does: ['send-registration'],
    status: REGISTERING,
    remember: wait,
  }),
  row(['CONFIRM_SEND'], 'prepared', 'CONFIRM_SENT', {
    when: waiting,
    does: ['send-confirmation'],
    remember: confirmAndWait,
  }),
  row(['REGISTER_SENT'], 'replied', 'REGISTER_RECV', { remember: hold }),
  row(['CONFIRM_SENT'], 'replied', 'CONFIRM_RECV', { remember: hold }),
  row(['URL_REQ_SENT'], 'replied', 'URL_REQ_RECV', { remember: hold }),
  row(['URL_REQ_RECV'], 'key-imported', 'READY', {
    when: waiting,
    does: ['close', 'deliver'],
    status: ASSIGNED,
    remember: forget,
  }),
  row(underWay, 'failed', 'ERROR', { when: waiting, remember: fail }),

  row(underWay, 'work', 'ERROR', { when: waitedTooLong, remember: timeOut }),
  row(underWay, 'work', 'ERROR', { when: deadlinePassed, remember: timeOut }),

  row(['READY'], 'work', 'READY', {
    when: mayConnect,
    does: ['open'],
    remember: waitSinceStart,
  }),
  row(['REGISTER_SEND'], 'work', 'REGISTER_SEND', {
    when: mayGoOn,
    does: ['prepare-registration'],
    remember: wait,
  }),
  row(['REGISTER_RECV'], 'work', 'STATUS_SEND', { when: begun, status: ASSIGNING, remember: watch }),
  row(['REGISTER_RECV'], 'work', 'CONFIRM_SEND', { when: challengeLeft }),
  row(['CONFIRM_SEND'], 'work', 'CONFIRM_SEND', {
    when: mayGoOn,
    does: ['answer-challenge'],
    remember: wait,
  }),
  row(['CONFIRM_RECV'], 'work', 'URL_REQ_SEND', { when: begun, status: ASSIGNING, remember: watch }),
  row(['REGISTER_RECV', 'CONFIRM_RECV'], 'work', 'URL_REQ_RECV', { when: assigned }),
  row(['STATUS_SEND', 'URL_REQ_SEND'], 'work', 'URL_REQ_SENT', {
    when: mayPoll,
    does: ['send-status-request'],
    remember: pollAndWait,
  }),
  row(['STATUS_SEND', 'URL_REQ_SEND'], 'work', 'ERROR', { when: noPollsLeft, remember: giveUpPolling }),
  row(['URL_REQ_RECV'], 'work', 'URL_REQ_RECV', {
    when: assignedWithKey,
    does: ['import-key'],
    remember: wait,
  }),
  row(['URL_REQ_RECV'], 'work', 'READY', {
    when: assignedWithoutKey,
    does: ['close', 'deliver'],
    status: ASSIGNED,
    remember: forget,
  }),
  row(['URL_REQ_RECV'], 'work', 'URL_REQ_SEND', { when: stillAssigning, remember: pollLater }),
  row(['CONFIRM_RECV', 'URL_REQ_RECV'], 'work', 'REGISTER_SEND', { when: mayStartOver, remember: retry }),
  row(['REGISTER_RECV', 'CONFIRM_RECV'], 'work', 'REGISTER_SEND', { when: mayRepeat, remember: retry }),
  row(['URL_REQ_RECV'], 'work', 'URL_REQ_SEND', { when: mayRepeat, remember: retry }),
  row(['REGISTER_RECV', 'CONFIRM_RECV', 'URL_REQ_RECV'], 'work', 'ERROR', {
    when: anyOtherAnswer,
    remember: refuse,
  }),

  row(['ERROR'], 'work', 'READY', { does: ['close', 'deliver'], status: ERROR, remember: forget }),
]);

interface RowDetails<Name extends EventName> {
  readonly when?: Condition;
  readonly does?: readonly EffectName[];
  readonly status?: ProvDeviceRegStatus;
  readonly remember?: (state: MachineState, event: EventOf<Name>, context: StepContext) => Run;
}

function row<Name extends EventName>(
  from: readonly StateName[],
  on: Name,
  to: StateName,
  details: RowDetails<Name> = {},
): Transition {
  const { does = [], remember = ({ run }: MachineState): Run => run, ...rest } = details;
  const sends = does.some((effect) => effect === 'open' || effect.startsWith('send-'));
  return Object.freeze({ from, on, to, does, sends, remember, ...rest });
}
