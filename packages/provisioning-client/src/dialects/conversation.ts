/** How the driver speaks with the service: one implementation a dialect. */
import type { JsonValue } from '@endorse/interface';
import type { MachineEvent } from '../machine/index.ts';
import type { Challenge } from '../service-reply.ts';

/** Where a completion goes; it is worked in by the next `doWork()`, and dropped when its run is over by then. */
export type Deliver = (event: MachineEvent) => void;

/** What is fixed when a run begins. */
export interface RunContext {
  readonly registrationId: string;
  readonly payload: JsonValue | undefined;
  /** Aborted when the run is over. */
  readonly signal: AbortSignal;
  /** Takes a line for `logtrace`; nothing secret goes in. */
  readonly trace: (event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/**
 * The conversation of a client with its service, one run at a time.
 *
 * What takes a callback is answered from inside {@link Conversation.doWork} or by a promise of the transport; what
 * returns a promise asks the security client, and rejects with what that rejects with. Nothing throws.
 */
export interface Conversation {
  /** Begins a run; ends in `opened` or `failed`. */
  open(run: RunContext, deliver: Deliver): void;
  /** Gets from the security client what the first request needs. */
  prepareRegistration(): Promise<void>;
  /** Ends in `replied` or `failed`, as do the two below. */
  sendRegistration(deliver: Deliver): void;
  /** Gets from the security client what proves that the TPM can decrypt the challenge. */
  answerChallenge(challenge: Challenge): Promise<void>;
  sendConfirmation(deliver: Deliver): void;
  sendStatusRequest(operation: string, deliver: Deliver): void;
  /** Makes the key inside an activation blob the identity key of the TPM. */
  importKey(activationBlob: Uint8Array): Promise<void>;
  /** Pumps the transport. */
  doWork(): void;
  /** Ends a run: drops the connection and overwrites what is secret. Harmless when repeated. */
  close(): void;
}
