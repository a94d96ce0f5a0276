import type { ClientCertificate } from './attestation.ts';
import type { Secret } from './secret.ts';

/** Options of every call on a security client. */
export interface SecurityClientOptions {
  /** Aborts the call; the promise then rejects with `signal.reason` and nothing stays loaded. */
  readonly signal?: AbortSignal | undefined;
}

/** An identity that lives in a TPM. */
export interface TpmSecurityClient {
  /** Version of this contract. */
  readonly specificationVersion: 'v1';
  readonly kind: 'tpm';
  /** The registration id: the one given, or derived from the endorsement key. */
  getRegistrationId(options?: SecurityClientOptions): Promise<string>;
  /** TPM2B_PUBLIC of the endorsement key, size bytes included (316 bytes for RSA-2048). */
  getEndorsementKey(options?: SecurityClientOptions): Promise<Uint8Array>;
  /** TPM2B_PUBLIC of the storage root key, size bytes included (284 bytes for RSA-2048). */
  getStorageRootKey(options?: SecurityClientOptions): Promise<Uint8Array>;
  /**
   * Loads the key inside an activation blob into the TPM, replacing the identity key.
   * On failure the key that worked before still works. Rejects with an `ERR_TPM_…` code.
   */
  activateIdentityKey(activationBlob: Uint8Array, options?: SecurityClientOptions): Promise<void>;
  /** HMAC-SHA256 of `data` (any length) under the identity key, computed in the TPM. */
  signWithIdentity(data: Uint8Array, options?: SecurityClientOptions): Promise<Uint8Array>;
}

/** A TPM identity that can also read a nonce encrypted for its TPM, which the `/drs/` dialect asks for. */
export interface NonceDecryptingSecurityClient extends TpmSecurityClient {
  /**
   * Decrypts a nonce blob of either form (`splitNonceBlob` of `@endorse/protocol`), which only the TPM with the right
   * endorsement key can. Changes nothing in the TPM. Rejects with an `ERR_TPM_…` code.
   */
  decryptNonce(nonceBlob: Uint8Array, options?: SecurityClientOptions): Promise<Secret>;
}

/** An identity that is a shared key. */
export interface SymmetricKeySecurityClient {
  /** Version of this contract. */
  readonly specificationVersion: 'v1';
  readonly kind: 'symmetric-key';
  /** The registration id the key belongs to. */
  getRegistrationId(options?: SecurityClientOptions): Promise<string>;
  /** HMAC-SHA256 of `data` under the device's key. */
  signWithIdentity(data: Uint8Array, options?: SecurityClientOptions): Promise<Uint8Array>;
}

/**
 * An identity that is a shared key in somebody else's hands: an agent, a module or another SDK that makes finished
 * tokens for the provisioning service and signs nothing else.
 */
export interface TokenIssuingSecurityClient {
  /** Version of this contract. */
  readonly specificationVersion: 'v1';
  readonly kind: 'symmetric-key';
  /** The registration id the key belongs to. */
  getRegistrationId(options?: SecurityClientOptions): Promise<string>;
  /**
   * A fresh token for this registration in the given ID scope, valid for as long as the issuer likes. Who asked
   * disposes of it.
   */
  issueSasToken(idScope: string, options?: SecurityClientOptions): Promise<IssuedSasToken>;
}

/** An identity that is a certificate and its private key. */
export interface X509SecurityClient {
  /** Version of this contract. */
  readonly specificationVersion: 'v1';
  readonly kind: 'x509';
  /** The common name of the leaf certificate. */
  getRegistrationId(options?: SecurityClientOptions): Promise<string>;
  /** The certificate chain shown to the service, with its private key. */
  getCertificate(options?: SecurityClientOptions): Promise<ClientCertificate>;
}

/** Any identity, discriminated by `kind`; of those with a shared key, only a token issuer has `issueSasToken`. */
export type SecurityClient =
  | TpmSecurityClient
  | SymmetricKeySecurityClient
  | TokenIssuingSecurityClient
  | X509SecurityClient;

/** Makes SAS tokens for the assigned hub and renews them before they expire. */
export interface HubTokenProvider {
  /** A token that is valid for at least the renewal margin, made or cached. */
  getToken(options?: SecurityClientOptions): Promise<HubToken>;
}

/** A SAS token with its life. */
export interface IssuedSasToken {
  readonly sasToken: Secret;
  /** When it stops being valid, milliseconds since 1970. */
  readonly expiresAt: number;
}

/** A hub SAS token with its life. */
export type HubToken = IssuedSasToken;
