/**
 * The registration machine on its own: pure, sans-IO, for other drivers, for
 * tests and for documentation. Most users want `register()` from the package's
 * root instead.
 *
 * @example
 * ```js
 * import { createInitialState, defaultRetryPolicy, step } from '@endorse/registration-core/machine';
 *
 * const idle = createInitialState({
 *   attestation: 'x509',
 *   carrier: 'http',
 *   challenge: 'request',
 *   policy: defaultRetryPolicy,
 *   maxTotalDelayMs: 300_000,
 *   tokenRenewalMarginMs: 60_000,
 * });
 * const { state, effects } = step(idle, { type: 'start' }, Date.now());
 * console.log(state.name, effects.map(({ effect }) => effect)); // reading-identity, [ 'report', 'read-identity' ]
 * ```
 *
 * @packageDocumentation
 */
export type { Condition } from './conditions.ts';
export type {
  ActivityEffect,
  EffectName,
  ImmediateEffect,
  RegistrationEffect,
  RegistrationOutcome,
} from './effects.ts';
export type { EventName, EventOf, RegistrationEvent } from './events.ts';
export type { Failure } from './failure.ts';
export { describeFailure } from './failure.ts';
export type { RetryPolicy } from './retry-policy.ts';
export { backOffDelayMs, createRetryPolicy, defaultRetryPolicy, pollDelayMs } from './retry-policy.ts';
export type {
  RegistrationMachineState,
  RegistrationMemory,
  RegistrationSettings,
  ResumePoint,
  RunningStateName,
  StateDescription,
  StateName,
  TerminalStateName,
} from './state.ts';
export { createInitialState, isTerminal, runningStates, states } from './state.ts';
export type { RegistrationStep } from './step.ts';
export { step } from './step.ts';
export type { Transition } from './transitions.ts';
export { transitions } from './transitions.ts';
