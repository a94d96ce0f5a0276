/**
 * The machine of the pump-driven client: theory of operation.
 *
 * `step(state, event, now, limits)` takes one event and returns the next state and a list of effects, or nothing
 * when the state has no use for the event. It does no IO and has no clock. Everything that decides where a
 * registration goes is in `transitions.ts`, as one table for both dialects: a challenge is answered and confirmed
 * (`drs`: the nonce goes back; `dps`: a token of the activated key does), an operation is watched until it is done.
 *
 * Invariants, each a property test:
 * - The run ends in `READY`, through `deliver`, exactly once; from there the next one starts with nothing of the last.
 * - At any time at most one thing is waited for (`waitingSince`), and it is waited for a bounded time.
 * - A row that sends is one step of a `doWork()`, and the last one.
 * - Statuses go up only.
 */
import type { ProvisioningClientError } from '../errors.ts';
import type { ProvDeviceRegStatus } from '../results.ts';
import type { ServiceReply } from '../service-reply.ts';

/** Every state, in the words of the requirements (`PROV_CLIENT_STATE_…`); the two last `_SENT` are added, so that nothing is sent twice. */
export type StateName =
  | 'READY'
  | 'REGISTER_SEND'
  | 'REGISTER_SENT'
  | 'REGISTER_RECV'
  | 'CONFIRM_SEND'
  | 'CONFIRM_SENT'
  | 'CONFIRM_RECV'
  | 'STATUS_SEND'
  | 'URL_REQ_SEND'
  | 'URL_REQ_SENT'
  | 'URL_REQ_RECV'
  | 'ERROR';

/** What a run has learnt so far. Times are milliseconds of the client's own count, which never goes back. */
export interface Run {
  /** True from `registerDevice` on. */
  readonly armed: boolean;
  /** True once the connection is there. */
  readonly connected: boolean;
  readonly startedAt: number;
  /** Since when something is waited for; absent when nothing is. */
  readonly waitingSince?: number | undefined;
  /** Nothing is sent before. */
  readonly notBefore: number;
  /** The answer that is being worked on. */
  readonly reply?: ServiceReply | undefined;
  /** Under which name the operation is watched. */
  readonly operation?: string | undefined;
  /** Challenges answered. */
  readonly challenges: number;
  /** Requests repeated and registrations begun anew. */
  readonly retries: number;
  /** Status requests sent. */
  readonly polls: number;
  /** The last status told. */
  readonly status?: ProvDeviceRegStatus | undefined;
  readonly error?: ProvisioningClientError | undefined;
}

/** A state of the machine. */
export interface MachineState {
  readonly name: StateName;
  readonly run: Run;
}

/** Bounds of a run. */
export interface RunLimits {
  /** Longest wait for one thing, in milliseconds: the connection (from `registerDevice`), an answer, the security client. 0: only the deadline. */
  readonly stepTimeoutMs: number;
  /** Longest run, in milliseconds. */
  readonly deadlineMs: number;
  /** Least pause between two status requests and before a repeated request, in milliseconds. */
  readonly throttleMs: number;
}

/** Challenges answered in one run; a service that never trusts the answer gets no more. */
export const maxChallenges = 3;

/** Requests repeated, and registrations begun anew, in one run. */
export const maxRetries = 8;

/** Status requests of one run, for clocks that stand still. */
export const maxPolls = 500;

/** One line about each state. */
export const states: Readonly<Record<StateName, string>> = Object.freeze({
  READY: 'Idle; once a registration was asked for, opens the connection and waits for it.',
  REGISTER_SEND:
    'Reads the public identity (and signs a token with a key that is there already), then sends the registration.',
  REGISTER_SENT: 'Waits for the answer.',
  REGISTER_RECV: 'Decides on the answer.',
  CONFIRM_SEND: 'Lets the TPM decrypt the challenge, then sends the proof.',
  CONFIRM_SENT: 'Waits for the answer.',
  CONFIRM_RECV: 'Decides on the answer.',
  STATUS_SEND: 'Asks how the operation of a registration that needed no challenge is doing.',
  URL_REQ_SEND: 'Asks how the operation is doing.',
  URL_REQ_SENT: 'Waits for the answer.',
  URL_REQ_RECV: 'Decides on the answer; imports the hub key, if one came along.',
  ERROR: 'The registration failed; the next `doWork()` says so.',
});

/** The state between registrations. */
export const idleState: MachineState = Object.freeze({
  name: 'READY',
  run: Object.freeze({
    armed: false,
    connected: false,
    startedAt: 0,
    notBefore: 0,
    challenges: 0,
    retries: 0,
    polls: 0,
  }),
});
