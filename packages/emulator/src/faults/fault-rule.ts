import type { ActivationParts } from '@endorse/protocol';

/** A listener's protocol, TCP and WebSockets alike. */
export type FaultCarrier = 'http' | 'amqp' | 'mqtt';

/** Every carrier a rule may name. */
export const faultCarriers: readonly FaultCarrier[] = Object.freeze(['http', 'amqp', 'mqtt']);

/** Operations of the device API: what every carrier has in its own form. */
export type DeviceFaultOperation = 'request-challenge' | 'register' | 'query-operation' | 'look-up-state';

/** The operations a rule may name, beside those of the service API, and `send-event` of a hub. */
export const faultOperations: readonly string[] = Object.freeze([
  'request-challenge',
  'register',
  'query-operation',
  'look-up-state',
  'drs-register',
  'drs-confirm',
  'drs-progress',
  'get-enrollment',
  'put-enrollment',
  'delete-enrollment',
  'get-attestation-mechanism',
  'get-registration',
  'delete-registration',
  'get-enrollment-group',
  'put-enrollment-group',
  'delete-enrollment-group',
  'get-group-attestation-mechanism',
  'bulk-enrollments',
  'query-enrollments',
  'bulk-enrollment-groups',
  'query-enrollment-groups',
  'query-registrations',
  'send-event',
]);

/** What goes wrong, discriminated by `kind`. */
export type FaultEffect =
  /** An error answer instead of the operation. */
  | {
      readonly kind: 'status';
      /** 400 to 599. */
      readonly status: number;
      /** Default `status` × 1000 + 1. */
      readonly errorCode?: number;
      readonly message?: string;
      /** Pause to ask for, in seconds, 0 to 3600. */
      readonly retryAfterSeconds?: number;
    }
  /** The answer leaves later. */
  | { readonly kind: 'delay'; /** 1 to 600,000. */ readonly delayMs: number }
  /** The connection is dropped, without doing what was asked or after it was done. */
  | { readonly kind: 'drop'; readonly when: 'before-handling' | 'after-handling' }
  /** The answer ends after so many bytes, and the connection with it. */
  | { readonly kind: 'truncate'; /** Default half of it. */ readonly keepBytes?: number }
  /** The answer says it is something else. */
  | { readonly kind: 'content-type'; readonly contentType: string }
  /** A bit in a part of the wrapped key is the other one. */
  | {
      readonly kind: 'flip-blob';
      readonly field: keyof ActivationParts;
      /** Counted from the first bit of the part; default the last one. */
      readonly bit?: number;
    }
  /** A registration that is assigned is said to be still `assigning`. */
  | { readonly kind: 'stay-assigning' }
  /** The service's clock is off for this request. */
  | { readonly kind: 'clock-skew'; readonly skewMs: number }
  /** The certificate in the TLS handshake expired yesterday; counts connections, and knows no operation and no device. */
  | { readonly kind: 'expired-certificate' };

/** When something goes wrong, and what. A rule without conditions hits every request. */
export interface FaultRule {
  /** By which it is listed and removed; default `fault-1`, `fault-2`, … */
  readonly name?: string;
  readonly carrier?: FaultCarrier;
  /** One of {@link faultOperations}. */
  readonly operation?: string;
  /** Registration, device or enrollment group id, without regard to case; `*` at its end stands for any rest. */
  readonly device?: string;
  /** How many matching requests pass first; default 0. */
  readonly after?: number;
  /** How many are hit then; default all. */
  readonly count?: number;
  /** Share of those that are hit, from 0 to 1, drawn from the emulator's randomness; default 1. */
  readonly probability?: number;
  readonly fault: FaultEffect;
}
