import type { RandomSource } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import { joinActivationBlob, joinCredentialNonceBlob } from '@endorse/protocol';
import { computeName, createActivation, decodeTpm2bPublic, makeCredential } from '@endorse/tpm2';
import type { TpmKeys } from '../core/activation.ts';
import { findStorageKeyProblem } from '../core/activation.ts';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';

/** How a nonce is hidden: as data under a credential, the way the service's first sample did, or as the credential itself. */
export type NonceForm = 'encrypted-data' | 'credential';

/** Every {@link NonceForm}. */
export const nonceForms: readonly NonceForm[] = Object.freeze(['encrypted-data', 'credential']);

/** A nonce that only one TPM can read, or the fault that its public keys deserve. */
export type EncryptedNonce =
  | { readonly ok: true; readonly nonce: Uint8Array; readonly blob: Uint8Array }
  | { readonly ok: false; readonly fault: ServiceFault };

/** Makes a fresh 32-byte nonce and encrypts it to the endorsement key, bound to the Name of the storage root key. */
export function encryptFreshNonce(keys: TpmKeys, form: NonceForm, random: RandomSource): EncryptedNonce {
  const nonce = random.bytes(32);
  try {
    const endorsementKey = decodeTpm2bPublic(keys.endorsementKey);
    const storageRootKey = decodeTpm2bPublic(keys.storageRootKey);
    if (form === 'credential') {
      const objectName = computeName(storageRootKey);
      const credential = makeCredential({ endorsementKey, objectName, credential: nonce, random });
      return { ok: true, nonce, blob: joinCredentialNonceBlob(credential) };
    }
    // The key in the middle parts is for nobody: only the data is looked at.
    const key = random.bytes(32);
    const parts = createActivation({ endorsementKey, storageRootKey, key, uri: nonce, random });
    return { ok: true, nonce, blob: joinActivationBlob(parts) };
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    // Which of the two it was matters only now.
    const problem = findStorageKeyProblem(keys.endorsementKey);
    const fault =
      problem === undefined ? faults.storageRootKey(error.message) : faults.endorsementKey(problem);
    return { ok: false, fault };
  }
}
