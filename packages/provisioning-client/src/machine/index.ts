export type { Condition } from './conditions.ts';
export type { EffectName, MachineEffect, RunOutcome } from './effects.ts';
export type { EventName, EventOf, MachineEvent } from './events.ts';
export type { MachineState, Run, RunLimits, StateName } from './state.ts';
export { idleState, maxChallenges, maxPolls, maxRetries, states } from './state.ts';
export type { MachineStep } from './step.ts';
export { step } from './step.ts';
export type { Transition } from './transitions.ts';
export { transitions } from './transitions.ts';
