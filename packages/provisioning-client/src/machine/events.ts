import type { ProvisioningClientError } from '../errors.ts';
import type { ServiceReply } from '../service-reply.ts';

/** What can happen to a registration. */
export type MachineEvent =
  /** `registerDevice` was called. */
  | { readonly type: 'register' }
  /** `doWork` was called, and everything that had completed is worked in. */
  | { readonly type: 'work' }
  /** The connection is there. */
  | { readonly type: 'opened' }
  /** The security client has given what the next request needs. */
  | { readonly type: 'prepared' }
  /** The service answered. */
  | { readonly type: 'replied'; readonly reply: ServiceReply }
  /** The hub key is in the TPM. */
  | { readonly type: 'key-imported' }
  /** The connection or the security client failed. */
  | { readonly type: 'failed'; readonly error: ProvisioningClientError };

/** Name of an event. */
export type EventName = MachineEvent['type'];

/** The event of the given name. */
export type EventOf<Name extends EventName> = Extract<MachineEvent, { readonly type: Name }>;
