/** A nonce for this TPM: the credential that it can open, or data that was encrypted under that credential. */
import { InvalidArgumentError, RemoteProtocolError, Secret } from '@endorse/interface';
import { splitNonceBlob } from '@endorse/protocol';
import type { NonceParts } from '@endorse/protocol';
import { decryptActivationData } from '@endorse/tpm2';
import { ActivationBlobError } from '../errors.ts';
import { checkInnerKey } from './activation-blob.ts';

/** Takes a nonce blob apart, before any command is sent. Throws `ERR_TPM_BLOB`, and `ERR_INVALID_ARGUMENT` for what is no bytes. */
export function parseNonceBlob(nonceBlob: Uint8Array): NonceParts {
  if (!(nonceBlob instanceof Uint8Array)) throw new InvalidArgumentError('nonceBlob', 'must be a Uint8Array');
  try {
    return splitNonceBlob(nonceBlob);
  } catch (cause) {
    if (cause instanceof RemoteProtocolError) throw new ActivationBlobError(cause.message, { cause });
    throw cause;
  }
}

/** The nonce, once the credential is open; the credential is overwritten. Throws `ERR_TPM_BLOB` when it is no key of a cipher. */
export function openNonce(credential: Uint8Array, { encryptedNonce }: NonceParts): Secret {
  try {
    if (encryptedNonce === undefined) return Secret.fromBytes(credential);
    checkInnerKey(credential);
    const nonce = decryptActivationData(credential, encryptedNonce);
    try {
      return Secret.fromBytes(nonce);
    } finally {
      nonce.fill(0);
    }
  } finally {
    credential.fill(0);
  }
}
