import type { RegistrationOperationStatus, RegistrationProgress } from '@endorse/interface';
import type { RunningStateName } from './state.ts';

/** How a run ended. */
export type RegistrationOutcome =
  | { readonly kind: 'assigned' }
  /** The caller aborted; `code` names the reason. */
  | { readonly kind: 'aborted'; readonly code: string }
  /** An activity failed for good. */
  | { readonly kind: 'failed'; readonly why: 'io'; readonly code: string; readonly error: unknown }
  /** The service said no. */
  | {
      readonly kind: 'failed';
      readonly why: 'rejected';
      readonly code: 'ERR_REGISTRATION_FAILED' | 'ERR_REGISTRATION_DISABLED' | 'ERR_REGISTRATION_UNASSIGNED';
      readonly operation: RegistrationOperationStatus;
    }
  /** The service kept assigning for as many status requests as are allowed. */
  | {
      readonly kind: 'failed';
      readonly why: 'unfinished';
      readonly code: 'ERR_REGISTRATION_UNFINISHED';
      readonly operation: RegistrationOperationStatus;
    }
  /** The service's answer lacks something; `path` says what. */
  | {
      readonly kind: 'failed';
      readonly why: 'unusable';
      readonly code: 'ERR_REMOTE_UNEXPECTED';
      readonly path: string;
    }
  /** Time ran out in `state`. */
  | {
      readonly kind: 'failed';
      readonly why: 'deadline';
      readonly code: 'ERR_TIMEOUT';
      readonly state: RunningStateName;
    };

/** Effects that end in an event; a state starts at most one. */
export type ActivityEffect =
  | { readonly effect: 'read-identity' }
  | { readonly effect: 'request-challenge' }
  | {
      readonly effect: 'activate-key';
      readonly purpose: 'registration' | 'hub';
      readonly activationBlob: Uint8Array;
    }
  | { readonly effect: 'sign-token'; readonly keyName: string }
  | { readonly effect: 'send-register' }
  | { readonly effect: 'query-operation'; readonly operationId: string }
  | { readonly effect: 'sleep'; readonly delayMs: number };

/** Effects that are done at once and end in no event. */
export type ImmediateEffect =
  /** Opens the session, or replaces one whose connection is lost. */
  | { readonly effect: 'open-session' }
  /** Overwrites the held token; harmless when there is none. */
  | { readonly effect: 'forget-token' }
  | { readonly effect: 'report'; readonly progress: RegistrationProgress }
  /** Ends the run; the last effect of it. */
  | { readonly effect: 'settle'; readonly outcome: RegistrationOutcome };

/** Everything the machine can ask for. */
export type RegistrationEffect = ActivityEffect | ImmediateEffect;

/** Name of an effect. */
export type EffectName = RegistrationEffect['effect'];
