/** The `/drs/` dialect, without a carrier. */
import type { Secret } from '@endorse/interface';
import type { DrsChallenge, DrsProgress, DrsRegisterBody } from '@endorse/protocol';
import type { FaultResponse } from '../core/refusal.ts';

/** Shows an endorsement key. */
export interface DrsRegistration extends DrsRegisterBody {
  /** The registration id of the path; the body's has to be the same. */
  readonly registrationIdOfPath: string;
}

/** Returns a nonce. */
export interface DrsConfirmationRequest {
  readonly registrationId: string;
  readonly correlationId: string;
  readonly nonce: Secret;
}

/** Asks how an operation is doing. */
export interface DrsProgressRequest {
  readonly registrationId: string;
  readonly operationId: string;
}

/** A nonce that the device has to decrypt. */
export interface DrsChallengeResponse extends DrsChallenge {
  readonly outcome: 'challenge';
}

/** An operation that has begun. */
export interface DrsOperationResponse {
  readonly outcome: 'operation';
  readonly operationId: string;
  /** Pause to ask for, in seconds. */
  readonly retryAfterSeconds: number;
}

/** How far an operation is. */
export interface DrsProgressResponse {
  readonly outcome: 'progress';
  readonly progress: DrsProgress;
  /** Pause to ask for, in seconds; only while the operation runs. */
  readonly retryAfterSeconds?: number;
}

/** The dialect. Every call is one indivisible step and never throws for what a device sent. */
export interface DrsService {
  /** Issues a challenge, the one before it is void; or joins the operation that is running. */
  register(request: DrsRegistration): DrsChallengeResponse | DrsOperationResponse | FaultResponse;
  /** Begins the operation of a device that could decrypt the nonce. A challenge can be answered once. */
  confirm(request: DrsConfirmationRequest): DrsOperationResponse | FaultResponse;
  /** Tells how far an operation is, with the hub key once the device is assigned. */
  lookUp(request: DrsProgressRequest): DrsProgressResponse | FaultResponse;
}
