/**
 * The registration machine: theory of operation.
 *
 * A registration is a walk through the states below. `step(state, event, now)`
 * takes one event and returns the next state and a list of effects. It does no
 * IO, has no clock and no randomness; the driver runs the effects on ports and
 * turns each outcome into the next event. Everything that decides where a
 * registration goes is in `transitions.ts`, as one table for all attestations:
 * only a TPM passes `awaiting-challenge`, `activating` and
 * `storing-credential`, and X.509 signs no token, so it skips `signing` too.
 *
 * Invariants, each a property test:
 * - Each state has at most one activity (an effect that ends in an event), so at
 *   any time exactly one thing is going on, or the run is over.
 * - `abort`, `deadline-passed` and `io-failed` are accepted in every state that
 *   is not terminal. A run therefore ends, once, whatever the peer does: the
 *   `settle` effect is emitted on entry into a terminal state and nowhere else.
 * - Requests are bounded by `maxRetries`, `maxPolls`, `maxTokenRefusals` and
 *   `maxRestarts`, sleep by `maxTotalDelayMs`: the sum of what was asked for,
 *   not the distance between two clock readings, because a device's clock may
 *   jump by decades when it first hears from a time server.
 * - The state is plain JSON and holds no secret and no key material. Tokens live
 *   in the driver, between `sign-token` and `forget-token`; activation blobs
 *   travel in events and effects only.
 * - An event that a state does not accept is our own mistake, never the peer's:
 *   `ERR_LOCAL_STATE`. What the peer sends becomes `operation-reported` or
 *   `io-failed`, and both have a row wherever they can occur.
 */
import type { AttestationKind } from '@endorse/interface';
import type { RetryPolicy } from './retry-policy.ts';

/** States in which something is going on, or has yet to start. */
export type RunningStateName =
  | 'idle'
  | 'reading-identity'
  | 'awaiting-challenge'
  | 'activating'
  | 'signing'
  | 'registering'
  | 'waiting'
  | 'polling'
  | 'backing-off'
  | 'storing-credential';

/** States that end a run. */
export type TerminalStateName = 'assigned' | 'failed' | 'aborted';

/** Every state. */
export type StateName = RunningStateName | TerminalStateName;

/** Where a pause leads back to. */
export type ResumePoint = 'awaiting-challenge' | 'registering' | 'polling';

/** What is fixed when a run starts. */
export interface RegistrationSettings {
  readonly attestation: AttestationKind;
  /** Carrier of the transport, for progress. */
  readonly carrier: string;
  /** Where the transport carries the TPM challenge; see `TransportCapabilities.challenge`. */
  readonly challenge: 'request' | 'handshake' | 'none';
  readonly policy: RetryPolicy;
  /** Sum of all pauses of the run, in milliseconds; the driver sets it to the deadline. */
  readonly maxTotalDelayMs: number;
  /** A token with less life than this is signed anew before its next use, in milliseconds. */
  readonly tokenRenewalMarginMs: number;
  /** Operation to resume instead of registering. */
  readonly operationId?: string | undefined;
}

/** What a run has learnt so far. */
export interface RegistrationMemory {
  readonly registrationId?: string;
  /** The running operation; a new run with it resumes this one. */
  readonly operationId?: string | undefined;
  /** Name of the key in the next token's `skn`. */
  readonly keyName?: string;
  /** When the held token expires, milliseconds since 1970. */
  readonly tokenExpiresAt?: number | undefined;
  /** The assignment, while the hub key is being stored. */
  readonly assignment?: { readonly assignedHub: string; readonly deviceId: string };
  /** The pause that is about to happen or happening. */
  readonly pause?: { readonly delayMs: number; readonly resume: ResumePoint };
  /** Register requests sent. */
  readonly registers: number;
  /** Status requests sent. */
  readonly polls: number;
  /** Requests repeated after a fault. */
  readonly retries: number;
  /** Challenges asked for. */
  readonly challenges: number;
  /** Times the service refused a token and got a new challenge for it. */
  readonly tokenRefusals: number;
  /** Times the service forgot the operation and the device registered anew. */
  readonly restarts: number;
  /** Sum of all pauses asked for so far, in milliseconds. */
  readonly delayedMs: number;
}

/** A state of the machine: plain JSON, without secrets. */
export interface RegistrationMachineState {
  readonly name: StateName;
  readonly settings: RegistrationSettings;
  readonly memory: RegistrationMemory;
}

/** One line about each state, and the one activity it starts on entry. */
export interface StateDescription {
  readonly about: string;
  /** Effect that ends in the next event; absent in `idle` and in terminal states. */
  readonly activity?:
    | 'read-identity'
    | 'request-challenge'
    | 'activate-key'
    | 'sign-token'
    | 'send-register'
    | 'query-operation'
    | 'sleep';
}

/** The states as data, in the order in which a TPM registration passes them. */
export const states: Readonly<Record<StateName, StateDescription>> = Object.freeze({
  idle: { about: 'Nothing has happened yet.' },
  'reading-identity': {
    about: 'Reads the registration id and the public identity from the security client.',
    activity: 'read-identity',
  },
  'awaiting-challenge': {
    about: 'TPM: asks the service for a key that only this TPM can open.',
    activity: 'request-challenge',
  },
  activating: { about: 'TPM: loads the key of the challenge.', activity: 'activate-key' },
  signing: { about: 'Signs a SAS token with the identity key.', activity: 'sign-token' },
  registering: { about: 'Sends the registration.', activity: 'send-register' },
  waiting: { about: 'The service is still assigning: pauses before asking again.', activity: 'sleep' },
  polling: { about: 'Asks how the operation is doing.', activity: 'query-operation' },
  'backing-off': { about: 'A request failed and may be repeated: pauses first.', activity: 'sleep' },
  'storing-credential': {
    about: 'TPM: loads the hub key that came with the assignment.',
    activity: 'activate-key',
  },
  assigned: { about: 'The device has a hub, and the TPM holds its key.' },
  failed: { about: 'The registration cannot succeed, or ran out of time or attempts.' },
  aborted: { about: 'The caller aborted.' },
});

/** The states that are not terminal. */
export const runningStates: readonly RunningStateName[] = Object.freeze([
  'idle',
  'reading-identity',
  'awaiting-challenge',
  'activating',
  'signing',
  'registering',
  'waiting',
  'polling',
  'backing-off',
  'storing-credential',
]);

/** True in `assigned`, `failed` and `aborted`. */
export function isTerminal(name: StateName): name is TerminalStateName {
  return name === 'assigned' || name === 'failed' || name === 'aborted';
}

/** The state before a run: `idle`, with everything still to learn. */
export function createInitialState(settings: RegistrationSettings): RegistrationMachineState {
  return {
    name: 'idle',
    settings,
    memory: {
      operationId: settings.operationId,
      registers: 0,
      polls: 0,
      retries: 0,
      challenges: 0,
      tokenRefusals: 0,
      restarts: 0,
      delayedMs: 0,
    },
  };
}
