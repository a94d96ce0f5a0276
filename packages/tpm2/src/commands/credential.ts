import { maxDigestSize } from '../algorithms.ts';
import { maxNameSize } from '../structures/creation-data.ts';
import type { Command } from './command.ts';
import { defineCommand } from './command.ts';

/** Parameters of TPM2_ActivateCredential. */
export interface ActivateCredentialRequest {
  /** Object the credential is bound to. */
  readonly activateHandle: number;
  /** Key the credential is encrypted to. */
  readonly keyHandle: number;
  /** Inner bytes of TPM2B_ID_OBJECT. */
  readonly credentialBlob: Uint8Array;
  /** Inner bytes of TPM2B_ENCRYPTED_SECRET. */
  readonly secret: Uint8Array;
}

/** Answer of TPM2_ActivateCredential. */
export interface ActivateCredentialResponse {
  /** The decrypted credential; in clear on the bus unless a session encrypts it. */
  readonly certInfo: Uint8Array;
}

/** TPM2_ActivateCredential (Part 3, 12.5). */
export const activateCredential: Command<ActivateCredentialRequest, ActivateCredentialResponse> =
  defineCommand({
    name: 'ActivateCredential',
    code: 0x147,
    timeoutClass: 'privateKey',
    handleCount: 2,
    authHandleCount: 2,
    firstParameterIsTpm2b: true,
    firstResponseParameterIsTpm2b: true,
    handles: (request) => [request.activateHandle, request.keyHandle],
    write: (writer, request) =>
      void writer.sized(request.credentialBlob, 'credentialBlob').sized(request.secret, 'secret'),
    read: (reader) => Object.freeze({ certInfo: reader.sized('certInfo', maxDigestSize) }),
  });

/** Parameters of TPM2_MakeCredential. */
export interface MakeCredentialRequest {
  /** Public key to encrypt to. */
  readonly handle: number;
  /** Secret: at most a digest of the key's nameAlg. */
  readonly credential: Uint8Array;
  readonly objectName: Uint8Array;
}

/** Answer of TPM2_MakeCredential. */
export interface MakeCredentialResponse {
  /** Inner bytes of TPM2B_ID_OBJECT. */
  readonly credentialBlob: Uint8Array;
  /** Inner bytes of TPM2B_ENCRYPTED_SECRET. */
  readonly secret: Uint8Array;
}

/** TPM2_MakeCredential (Part 3, 12.6), in a TPM; `makeCredential` does the same without one. */
export const makeCredentialInTpm: Command<MakeCredentialRequest, MakeCredentialResponse> = defineCommand({
  name: 'MakeCredential',
  code: 0x168,
  timeoutClass: 'session',
  handleCount: 1,
  firstParameterIsTpm2b: true,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.handle],
  write: (writer, request) =>
    void writer
      .sized(request.credential, 'credential', maxDigestSize)
      .sized(request.objectName, 'objectName', maxNameSize),
  read: (reader) =>
    Object.freeze({ credentialBlob: reader.sized('credentialBlob'), secret: reader.sized('secret') }),
});
