import type { ActivationParts } from '@endorse/protocol';
import { splitActivationBlob, splitNonceBlob } from '@endorse/protocol';
import {
  TpmDecodeError,
  TpmError,
  activateCredentialSoftware,
  computeName,
  decodePublic,
  decryptActivationData,
  importDuplicateSoftware,
} from '@endorse/tpm2';
import type { SoftwareTpmKeys } from './software-tpm-keys.ts';

/**
 * What a TPM does with an activation blob: the private EK opens the credential, which is bound to the SRK and holds
 * the inner key; with it the private SRK opens the duplicate. Returns the HMAC key inside.
 * Throws what a TPM answers (`TpmError`), or `ERR_TPM_MALFORMED` for a blob that does not have six parts.
 */
export function openActivation(keys: SoftwareTpmKeys, blob: Uint8Array): Uint8Array {
  const { idObject, encryptedSecret, duplicate, encryptedSeed, publicArea } = split(blob);
  const innerKey = activateCredentialSoftware({
    endorsementKey: keys.endorsementArea,
    privateKey: keys.endorsementPrivateKey,
    objectName: computeName(keys.storageRootArea),
    idObject,
    encryptedSecret,
  });
  const area = decodePublic(publicArea);
  const sensitive = importDuplicateSoftware({
    parent: keys.storageRootArea,
    privateKey: keys.storageRootPrivateKey,
    publicArea: area,
    innerKey,
    duplicate,
    encryptedSeed,
  });
  // An object of another type loads, but TPM2_HMAC refuses it: TPM_RC_TYPE for its handle.
  if (area.type !== 'keyedHash') throw new TpmError('HMAC', 0x18a);
  return Uint8Array.from(sensitive.sensitive);
}

/** What a TPM does with a nonce blob: opens the credential, and with it the data that came along, if any. Throws as {@link openActivation}. */
export function openNonce(keys: SoftwareTpmKeys, blob: Uint8Array): Uint8Array {
  const { idObject, encryptedSecret, encryptedNonce } = splitNonceBlob(blob);
  const credential = activateCredentialSoftware({
    endorsementKey: keys.endorsementArea,
    privateKey: keys.endorsementPrivateKey,
    objectName: computeName(keys.storageRootArea),
    idObject,
    encryptedSecret,
  });
  return encryptedNonce === undefined ? credential : decryptActivationData(credential, encryptedNonce);
}

function split(blob: Uint8Array): ActivationParts {
  try {
    return splitActivationBlob(blob);
  } catch (cause) {
    throw new TpmDecodeError('activation blob', 0, 'is not six TPM2B structures in a row', { cause });
  }
}
