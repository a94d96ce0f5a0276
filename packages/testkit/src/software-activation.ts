import type { ActivationParts } from '@endorse/protocol';
import { splitActivationBlob } from '@endorse/protocol';
import {
  TpmDecodeError,
  TpmError,
  activateCredentialSoftware,
  computeName,
  decodePublic,
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

function split(blob: Uint8Array): ActivationParts {
  try {
    return splitActivationBlob(blob);
  } catch (cause) {
    throw new TpmDecodeError('activation blob', 0, 'is not six TPM2B structures in a row', { cause });
  }
}
