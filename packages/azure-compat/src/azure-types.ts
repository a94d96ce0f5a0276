/**
 * The callback interfaces of the official Azure IoT SDK for Node.js
 * (`azure-iot-provisioning-device` 1.9), written down here so that nothing of it
 * is needed at run time. A type test assigns the official types both ways.
 *
 * `Failure` is the error of a callback. Success is reported as null, which the
 * official declarations leave out: what we take is `Error | null`, so that it can be
 * written in strict TypeScript, and what we give is `Error`, so that it fits theirs.
 */
import type { RegistrationStatus } from '@endorse/interface';

/** Takes the end of a call: an error, or none. */
export type AzureErrorCallback<Failure = Error | null> = (error?: Failure) => void;

/** Takes the end of a call that has a result. */
export type AzureCallback<Result, Failure = Error | null> = (error: Failure, result?: Result) => void;

/** A TPM identity as the official `ProvisioningDeviceClient` uses it. */
export interface AzureTpmSecurityClient<Failure = Error | null> {
  /** TPM2B_PUBLIC of the endorsement key. */
  getEndorsementKey(callback: AzureCallback<Buffer, Failure>): void;
  /** TPM2B_PUBLIC of the storage root key. */
  getStorageRootKey(callback: AzureCallback<Buffer, Failure>): void;
  /** HMAC-SHA256 of `toSign` under the identity key. */
  signWithIdentity(toSign: Buffer, callback: AzureCallback<Buffer, Failure>): void;
  /** Loads the key inside an activation blob into the TPM. */
  activateIdentityKey(key: Buffer, callback: (error: Failure) => void): void;
  /** The registration id of the device. */
  getRegistrationId(callback: AzureCallback<string, Failure>): void;
}

/** Whom to register with, as what. */
export interface AzureRegistrationRequest {
  /** Undefined until the security client has told it. */
  registrationId?: string;
  provisioningHost: string;
  idScope: string;
  /** Asks the service to register anew even if the device is assigned. */
  forceRegistration?: boolean;
  /** Custom payload for the allocation function. */
  // oxlint-disable-next-line typescript/no-explicit-any -- the official type, which ours must accept and be accepted by
  payload?: { [key: string]: any };
}

/** `registrationState` as JSON: blobs are base64. */
export interface AzureDeviceRegistrationState {
  deviceId: string;
  assignedHub: string;
  status: RegistrationStatus;
  [key: string]: unknown;
}

/** The answer to a register or status request as JSON. */
export interface AzureDeviceRegistrationResult {
  operationId: string;
  status: RegistrationStatus;
  registrationState?: AzureDeviceRegistrationState;
}

/** Takes the answer to a register or status request, and the pause before the next one in milliseconds. */
export type AzureOperationCallback<Failure = Error | null> = (
  error?: Failure,
  result?: AzureDeviceRegistrationResult,
  response?: unknown,
  pollingInterval?: number,
) => void;

/** A transport that can register and poll. */
export interface AzurePollingTransport<Failure = Error | null> {
  /** Starts (or repeats) the registration. */
  registrationRequest(request: AzureRegistrationRequest, callback: AzureOperationCallback<Failure>): void;
  /** Asks how an operation is doing. */
  queryOperationStatus(
    request: AzureRegistrationRequest,
    operationId: string,
    callback: AzureOperationCallback<Failure>,
  ): void;
  /** Gives up the request in progress. */
  cancel(callback: AzureErrorCallback<Failure>): void;
  /** Closes the connection. */
  disconnect(callback: AzureErrorCallback<Failure>): void;
}

/** A transport that carries TPM attestation. Its calls depend on each other: it serves one device at a time. */
export interface AzureTpmProvisioningTransport<
  Failure = Error | null,
> extends AzurePollingTransport<Failure> {
  /** Sets the public keys of the requests that follow. */
  setTpmInformation(endorsementKey: Buffer, storageRootKey: Buffer): void;
  /** Asks for a key that only this TPM can open. */
  getAuthenticationChallenge(
    request: AzureRegistrationRequest,
    callback: (error: Failure, tpmChallenge?: Buffer) => void,
  ): void;
  /** Sets the token of the requests that follow; on AMQP it also finishes connecting. */
  respondToAuthenticationChallenge(
    request: AzureRegistrationRequest,
    sasToken: string,
    callback: AzureErrorCallback<Failure>,
  ): void;
}
