import { LocalProtocolError } from '@endorse/interface';
import type { EffectName, MachineEffect } from './effects.ts';
import type { MachineEvent } from './events.ts';
import type { MachineState, Run, RunLimits } from './state.ts';
import { transitions } from './transitions.ts';

/** The result of one step. */
export interface MachineStep {
  readonly state: MachineState;
  /** To be run in order, once `state` is the state. */
  readonly effects: readonly MachineEffect[];
  /** True when something goes out to the service. */
  readonly sends: boolean;
}

/**
 * Takes one event at `now` (milliseconds that never go back). Undefined when the state has no use for it: it came
 * late, or there is nothing to do yet.
 */
export function step(
  state: MachineState,
  event: MachineEvent,
  now: number,
  limits: RunLimits,
): MachineStep | undefined {
  const transition = transitions.find(
    (row) =>
      row.on === event.type && row.from.includes(state.name) && (row.when?.test(state, now, limits) ?? true),
  );
  if (transition === undefined) return undefined;
  const { to, does, status, sends } = transition;
  const run = transition.remember(state, event, { now, limits });
  const isNews = status !== undefined && (state.run.status === undefined || status > state.run.status);
  const effects = does.map((effect) => toEffect(effect, state.run));
  const reports = isNews ? [{ effect: 'report', status } as const] : [];
  return {
    state: { name: to, run: isNews && run.armed ? { ...run, status } : run },
    effects: [
      ...effects.filter(({ effect }) => effect !== 'deliver'),
      ...reports,
      ...effects.filter(({ effect }) => effect === 'deliver'),
    ],
    sends,
  };
}

/** Gives an effect what it works on: what the run knew before the step. */
function toEffect(effect: EffectName, run: Run): MachineEffect {
  const { reply, operation, error } = run;
  switch (effect) {
    case 'open':
    case 'prepare-registration':
    case 'send-registration':
    case 'send-confirmation':
    case 'close':
      return { effect };
    case 'answer-challenge':
      if (reply?.kind === 'challenge') return { effect, challenge: reply.challenge };
      break;
    case 'send-status-request':
      if (operation !== undefined) return { effect, operation };
      break;
    case 'import-key':
      if (reply?.kind === 'assigned' && reply.authenticationKey !== undefined) {
        return { effect, activationBlob: reply.authenticationKey };
      }
      break;
    case 'deliver':
      if (error !== undefined) return { effect, outcome: { ok: false, error } };
      if (reply?.kind === 'assigned') return { effect, outcome: { ok: true, assignment: reply.assignment } };
      break;
    case 'report':
      break;
    default:
      effect satisfies never;
  }
  throw new LocalProtocolError('ERR_LOCAL_STATE', `the run has nothing to ${effect}`);
}
