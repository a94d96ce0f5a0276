import type { RegistrationOperationStatus } from '@endorse/interface';
import type { Failure } from './failure.ts';

/**
 * What can happen to a registration. Events may carry live objects (an error, a
 * blob); states never keep them.
 */
export type RegistrationEvent =
  /** The caller wants to register. */
  | { readonly type: 'start' }
  /** The security client told who it is. */
  | { readonly type: 'identity-read'; readonly registrationId: string }
  /** The service sent a wrapped key. */
  | { readonly type: 'challenge-received'; readonly activationBlob: Uint8Array; readonly keyName: string }
  /** The TPM holds the key of the last activation. */
  | { readonly type: 'key-activated' }
  /** The driver holds a token that is valid until `expiresAt`, milliseconds since 1970. */
  | { readonly type: 'token-signed'; readonly expiresAt: number }
  /** The service answered a register or status request; `retryAfterMs` is not yet capped. */
  | {
      readonly type: 'operation-reported';
      readonly operation: RegistrationOperationStatus;
      readonly retryAfterMs?: number | undefined;
    }
  /** A pause is over. */
  | { readonly type: 'woke' }
  /** An activity failed; `jitter` is a fresh random number, 0 or more and less than 1. */
  | {
      readonly type: 'io-failed';
      readonly error: unknown;
      readonly failure: Failure;
      readonly jitter: number;
    }
  /** The caller aborted; `code` names the reason in progress reports. */
  | { readonly type: 'abort'; readonly code: string }
  /** The overall deadline passed. */
  | { readonly type: 'deadline-passed' };

/** Name of an event. */
export type EventName = RegistrationEvent['type'];

/** The event of the given name. */
export type EventOf<Name extends EventName> = Extract<RegistrationEvent, { readonly type: Name }>;
