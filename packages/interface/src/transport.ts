import type { AttestationKind, SessionAttestation } from './attestation.ts';
import type { JsonValue, RegistrationOperationStatus, RegistrationTarget } from './registration.ts';
import type { Secret } from './secret.ts';

/**
 * A carrier to the provisioning service.
 *
 * A transport is stateless and may be shared: everything about one registration
 * travels in arguments, everything about a connection lives in the session.
 */
export interface Transport {
  /** Version of this contract. */
  readonly specificationVersion: 'v1';
  /** What the transport can do; frozen, the same for every instance of a kind. */
  readonly capabilities: TransportCapabilities;
  /**
   * Prepares a session; connects lazily, on its first request.
   *
   * Throws `ERR_UNSUPPORTED_CAPABILITY` when the attestation's kind is not in
   * {@link TransportCapabilities.attestations}, `ERR_INVALID_ARGUMENT` for an
   * unusable target, both before any IO.
   */
  openSession(target: RegistrationTarget, attestation: SessionAttestation): RegistrationSession;
}

/** What a transport can do. */
export interface TransportCapabilities {
  /** Carrier and framing, for example `http`, `amqp`, `amqp-ws`, `mqtt`, `mqtt-ws`, `memory`. */
  readonly carrier: string;
  /** The attestations it carries. */
  readonly attestations: readonly AttestationKind[];
  /** Why each missing attestation is missing, as shown to users. */
  readonly refusals: Readonly<Partial<Record<AttestationKind, string>>>;
  /**
   * Where the TPM challenge travels: `request` (answer to a request; a token outlives a lost connection), `handshake`
   * (part of connecting; a lost connection needs a new challenge), or `none`.
   */
  readonly challenge: 'request' | 'handshake' | 'none';
  /** True when a proxy can be configured. */
  readonly proxy: boolean;
}

/** Options of every request on a session. The signal is required here so that nobody forgets it. */
export interface SessionRequestOptions {
  /** Aborts the request down to the socket; the promise then rejects with `signal.reason`. */
  readonly signal: AbortSignal;
}

/** Asks the service for a fresh key wrapped for the device's TPM. */
export interface ChallengeRequest extends RegistrationTarget {
  /** TPM2B_PUBLIC of the endorsement key. */
  readonly endorsementKey: Uint8Array;
  /** TPM2B_PUBLIC of the storage root key. */
  readonly storageRootKey: Uint8Array;
  /** Custom payload, sent along where the carrier sends a body with the challenge. */
  readonly payload?: JsonValue;
}

/** The service's answer to a {@link ChallengeRequest}. */
export interface AuthenticationChallenge {
  /** The wrapped key: six TPM2B structures in a row. */
  readonly activationBlob: Uint8Array;
  /** Name of the key in the token's `skn`; `registration` on the real service. */
  readonly keyName: string;
}

/** The TPM's public keys, repeated in the register request of a TPM device. */
export interface RegistrationInfo {
  readonly registrationId: string;
  /** TPM2B_PUBLIC of the endorsement key; TPM only. */
  readonly endorsementKey?: Uint8Array;
  /** TPM2B_PUBLIC of the storage root key; TPM only. */
  readonly storageRootKey?: Uint8Array;
  /** Custom payload for the allocation function. */
  readonly payload?: JsonValue;
  /** Asks the service to register anew even if the device is assigned; default false. */
  readonly forceRegistration?: boolean;
}

/** Starts (or repeats) the registration. */
export interface RegisterRequest {
  /** The SAS token; absent only for X.509. */
  readonly sasToken?: Secret;
  readonly registrationInfo: RegistrationInfo;
}

/** Asks how an operation is doing. */
export interface OperationStatusRequest {
  /** The SAS token; absent only for X.509. */
  readonly sasToken?: Secret;
  readonly registrationId: string;
  readonly operationId: string;
}

/** An answer of the service, and the pause it asked for. */
export interface RegistrationReply {
  readonly operation: RegistrationOperationStatus;
  /** Pause the service asked for, in milliseconds; absent when it did not say. Not yet capped. */
  readonly retryAfterMs?: number;
}

/**
 * One registration's conversation with the service.
 *
 * Requests are made one at a time. Every method rejects with `signal.reason`
 * on abort, with `ServiceError` for an error answer, `RemoteProtocolError` for
 * an unusable one, `TransportError` for a lost or refused connection and
 * `ERR_SESSION_CLOSED` after {@link RegistrationSession.close}.
 */
export interface RegistrationSession {
  /**
   * TPM: asks for the wrapped key. Sends no token, even when it holds one.
   * Rejects with `ERR_REMOTE_UNEXPECTED` when the service accepts without a challenge.
   */
  getAuthenticationChallenge(
    request: ChallengeRequest,
    options: SessionRequestOptions,
  ): Promise<AuthenticationChallenge>;
  /** Registers with the given token (or the session's client certificate). */
  register(request: RegisterRequest, options: SessionRequestOptions): Promise<RegistrationReply>;
  /** Asks for the state of a running operation. */
  queryOperationStatus(
    request: OperationStatusRequest,
    options: SessionRequestOptions,
  ): Promise<RegistrationReply>;
  /** Lets go of every socket; bounded in time, harmless when repeated, never rejects. */
  close(): Promise<void>;
  /** The same as {@link RegistrationSession.close}. */
  [Symbol.asyncDispose](): Promise<void>;
}
