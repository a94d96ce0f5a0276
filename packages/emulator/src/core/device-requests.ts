import type { JsonValue, RegistrationOperationStatus, RegistrationState } from '@endorse/interface';
import type { RegisterBody } from '@endorse/protocol';
import type { DeviceProof } from './enrolled-device.ts';
import type { FaultResponse } from './refusal.ts';

/** Whom a device request is about. */
export interface DeviceIdentity {
  readonly idScope: string;
  readonly registrationId: string;
}

/** How a device request is authenticated. */
export type DeviceCredential =
  | { readonly kind: 'none' }
  /** A SAS token, as it came. */
  | { readonly kind: 'token'; readonly token: string }
  /** DER of the certificates that a TLS client proved the first of to be its own; the rest is as it sent them. */
  | { readonly kind: 'certificate'; readonly certificates: readonly Uint8Array[] };

/** Asks for a fresh key, wrapped for the device's TPM. */
export interface ChallengeRequest extends DeviceIdentity {
  /** TPM2B_PUBLIC; has to be the one that was enrolled. */
  readonly endorsementKey?: Uint8Array;
  /** TPM2B_PUBLIC; the enrolled one when absent. */
  readonly storageRootKey?: Uint8Array;
}

/** Starts a registration. Without a credential, a TPM device gets a challenge instead. */
export interface RegisterRequest extends ChallengeRequest {
  readonly credential: DeviceCredential;
  /** The registration id that some carriers repeat in the body; has to be the same. */
  readonly repeatedRegistrationId?: string;
  /** Custom payload for the allocation. */
  readonly payload?: JsonValue;
}

/** Asks how an operation is doing. */
export interface OperationQuery extends DeviceIdentity {
  readonly credential: DeviceCredential;
  readonly operationId: string;
}

/** Asks for the present registration state. */
export interface StateQuery extends DeviceIdentity {
  readonly credential: DeviceCredential;
}

/** A device that may come in. */
export interface AdmissionResponse {
  readonly outcome: 'admitted';
  /** What it proved itself by. */
  readonly attestation: DeviceProof['kind'];
}

/** Any request of the device API, for carriers that decide by what arrives. */
export type DeviceRequest =
  | ({ readonly operation: 'request-challenge' } & ChallengeRequest)
  | ({ readonly operation: 'register' } & RegisterRequest)
  | ({ readonly operation: 'query-operation' } & OperationQuery)
  | ({ readonly operation: 'look-up-state' } & StateQuery);

/** The register request that a body stands for; what it leaves out is left out. */
export function toRegisterRequest(
  device: StateQuery,
  { endorsementKey, storageRootKey, payload, registrationId: repeated }: RegisterBody,
): DeviceRequest {
  return {
    operation: 'register',
    ...device,
    ...(endorsementKey === undefined ? {} : { endorsementKey }),
    ...(storageRootKey === undefined ? {} : { storageRootKey }),
    ...(payload === undefined ? {} : { payload }),
    ...(repeated === undefined ? {} : { repeatedRegistrationId: repeated }),
  };
}

/** A wrapped key that the device has to prove it can load. */
export interface ChallengeResponse {
  readonly outcome: 'challenge';
  readonly activationBlob: Uint8Array;
  /** What the `skn` of the token must say. */
  readonly keyName: string;
}

/** An operation, running or finished. */
export interface OperationResponse {
  readonly outcome: 'operation';
  readonly operation: RegistrationOperationStatus;
  /** Pause to ask for, in seconds; only while the operation runs. */
  readonly retryAfterSeconds?: number;
}

/** The present registration state. */
export interface StateResponse {
  readonly outcome: 'state';
  readonly state: RegistrationState;
}

/** Any answer of the device API; each carrier has its own way to write it. */
export type DeviceResponse = ChallengeResponse | OperationResponse | StateResponse | FaultResponse;

/** The device API, without a carrier. Every call is one indivisible step and never throws for what a device sent. */
export interface DeviceService {
  /** Says whether a device may come in, for carriers that ask for its credential before any operation. */
  admit(request: StateQuery): AdmissionResponse | FaultResponse;
  /** Issues a challenge for a TPM; the one before it, if any, is void. */
  requestChallenge(request: ChallengeRequest): ChallengeResponse | FaultResponse;
  /** Starts a registration, or repeats the answer while one is running. */
  register(request: RegisterRequest): ChallengeResponse | OperationResponse | FaultResponse;
  /** Tells the state of an operation, with the hub key once it is assigned. */
  queryOperation(request: OperationQuery): OperationResponse | FaultResponse;
  /** Tells the registration state without any key. */
  lookUpState(request: StateQuery): StateResponse | FaultResponse;
}
