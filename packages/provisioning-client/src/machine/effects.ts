import type { ProvisioningClientError } from '../errors.ts';
import type { ProvDeviceRegStatus } from '../results.ts';
import type { Assignment, Challenge } from '../service-reply.ts';

/** How a run ended. */
export type RunOutcome =
  | { readonly ok: true; readonly assignment: Assignment }
  | { readonly ok: false; readonly error: ProvisioningClientError };

/** What the machine asks for, in order. Those above `close` end in an event. */
export type MachineEffect =
  | { readonly effect: 'open' }
  | { readonly effect: 'prepare-registration' }
  | { readonly effect: 'send-registration' }
  | { readonly effect: 'answer-challenge'; readonly challenge: Challenge }
  | { readonly effect: 'send-confirmation' }
  | { readonly effect: 'send-status-request'; readonly operation: string }
  | { readonly effect: 'import-key'; readonly activationBlob: Uint8Array }
  /** Drops the connection and what was learnt for the requests. */
  | { readonly effect: 'close' }
  /** Tells the status callback. */
  | { readonly effect: 'report'; readonly status: ProvDeviceRegStatus }
  /** Tells the register callback: the end of the run, and the last effect. */
  | { readonly effect: 'deliver'; readonly outcome: RunOutcome };

/** Name of an effect. */
export type EffectName = MachineEffect['effect'];
