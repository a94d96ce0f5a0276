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

/** The same where the official declarations leave out that the error is always there. */
export type AzureResultCallback<Result, Failure = Error | null> = (error?: Failure, result?: Result) => void;

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

/** A token as the official SDK writes it; `toString()` is all that its registrations use. */
export interface AzureSharedAccessSignature {
  /** The resource. */
  readonly sr: string;
  /** The signature, percent-encoded. */
  readonly sig: string;
  /** When it expires, in seconds since 1970. */
  readonly se: number;
  /** The name of the key. */
  readonly skn: string;
  /** The token. */
  toString(): string;
}

/**
 * A shared key as the official `ProvisioningDeviceClient` uses it: it makes finished tokens. Each method calls back, or
 * returns a promise when it gets no callback. `Token` stands for a class of theirs with private members, which no type
 * written down here can match.
 */
export interface AzureSymmetricKeySecurityClient<
  Failure = Error | null,
  Token = Pick<AzureSharedAccessSignature, 'toString'>,
> {
  /** The registration id of the device. */
  getRegistrationId(callback?: AzureResultCallback<string, Failure>): Promise<string> | void;
  /** A token for the registration of the device in an ID scope. */
  createSharedAccessSignature(
    idScope: string,
    callback?: AzureResultCallback<Token, Failure>,
  ): Promise<Token> | void;
}

/** A certificate and its key as the official SDK hands them to TLS. */
export interface AzureX509 {
  /** PEM; as an array, issuers apart. */
  cert?: string | string[] | Buffer | Buffer[];
  /** PEM. */
  key?: string | Buffer;
  /** Passphrase of an encrypted key. */
  passphrase?: string;
  /** Name of an OpenSSL engine that has the certificate. */
  clientCertEngine?: string;
}

/** A certificate as the official `ProvisioningDeviceClient` uses it. */
export interface AzureX509SecurityClient<Failure = Error | null> {
  /** The certificate with its key. */
  getCertificate(callback: AzureResultCallback<AzureX509, Failure>): void;
  /** The registration id of the device; of all interfaces, this one alone answers at once. */
  getRegistrationId(): string;
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

/** A transport that carries shared keys. */
export interface AzureSymmetricKeyProvisioningTransport<
  Failure = Error | null,
> extends AzurePollingTransport<Failure> {
  /** Sets the token of the requests that follow. */
  setSharedAccessSignature(sasToken: string): void;
}

/** Options of official transports. */
export interface AzureTransportOptions {
  /** Pause between polls when the service does not say, in milliseconds. */
  pollingInterval?: number;
  /** Documented, and read by no official transport. */
  timeoutInterval?: number;
  /** Agent of the WebSocket's HTTP request; `https.Agent` there. */
  webSocketAgent?: object;
}

/** A transport that carries certificates. */
export interface AzureX509ProvisioningTransport<
  Failure = Error | null,
> extends AzurePollingTransport<Failure> {
  /** Sets the certificate to connect with. */
  setAuthentication(certificate: AzureX509): void;
  /** Sets options of later requests. */
  setTransportOptions(options: AzureTransportOptions): void;
}

/** Any transport that `ProvisioningDeviceClient.create()` takes; it finds out which by looking for the methods. */
export type AzureProvisioningTransport<Failure = Error | null> =
  | AzureTpmProvisioningTransport<Failure>
  | AzureSymmetricKeyProvisioningTransport<Failure>
  | AzureX509ProvisioningTransport<Failure>;
