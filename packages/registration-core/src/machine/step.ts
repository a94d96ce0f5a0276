import { LocalProtocolError } from '@endorse/interface';
import type { RegistrationEffect } from './effects.ts';
import { countEntry, entryEffects } from './entry.ts';
import type { RegistrationEvent } from './events.ts';
import { progressOf } from './progress.ts';
import type { RegistrationMachineState, RunningStateName } from './state.ts';
import { isTerminal } from './state.ts';
import type { Transition } from './transitions.ts';
import { transitions } from './transitions.ts';

/** The result of one step: where the machine is now, and what the driver has to do, in order. */
export interface RegistrationStep {
  readonly state: RegistrationMachineState;
  readonly effects: readonly RegistrationEffect[];
}

/**
 * Takes one event. `now` is the time in milliseconds since 1970, used for token
 * life and progress only. Reports come first, then the session and token, then
 * the activity or the settlement.
 *
 * Throws `ERR_LOCAL_STATE` for an event that the state does not accept.
 */
export function step(
  state: RegistrationMachineState,
  event: RegistrationEvent,
  now: number,
): RegistrationStep {
  const { name: from } = state;
  const transition = isTerminal(from) ? undefined : findTransition(state, from, event, now);
  if (isTerminal(from) || transition === undefined) {
    throw new LocalProtocolError(
      'ERR_LOCAL_STATE',
      `a registration that is ${from} cannot take ${event.type}`,
      {
        state: from,
      },
    );
  }
  const learnt = transition.remember?.(state, event) ?? state.memory;
  const next: RegistrationMachineState = {
    name: transition.to,
    settings: state.settings,
    memory: countEntry(transition.to, learnt),
  };
  const entered = entryEffects(next, from, event);
  const settled = entered.find((effect) => effect.effect === 'settle');
  const reports = progressOf(next, event, settled?.outcome, now);
  return {
    state: next,
    effects: [
      ...reports.map((progress): RegistrationEffect => ({ effect: 'report', progress })),
      ...transition.emit.map((effect): RegistrationEffect => ({ effect })),
      ...entered,
    ],
  };
}

function findTransition(
  state: RegistrationMachineState,
  from: RunningStateName,
  event: RegistrationEvent,
  now: number,
): Transition | undefined {
  return transitions.find(
    (row) => row.on === event.type && row.from.includes(from) && (row.when?.test(state, event, now) ?? true),
  );
}
