import type { RandomSource } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import { joinActivationBlob } from '@endorse/protocol';
import { computeName, createActivation, decodeTpm2bPublic, makeCredential } from '@endorse/tpm2';
import type { ServiceFault } from './fault.ts';
import { faults } from './fault.ts';

/** The public keys of a TPM, each a TPM2B_PUBLIC. */
export interface TpmKeys {
  readonly endorsementKey: Uint8Array;
  readonly storageRootKey: Uint8Array;
}

/** A key wrapped for one TPM, or the fault that its public keys deserve. */
export type WrappedKey =
  | { readonly ok: true; readonly key: Uint8Array; readonly activationBlob: Uint8Array }
  | { readonly ok: false; readonly fault: ServiceFault };

/**
 * Makes a fresh 32-byte HMAC key that only the TPM with the given keys can load.
 * `purpose` goes into the blob's last field, encrypted; no client looks at it.
 */
export function wrapFreshKey(keys: TpmKeys, purpose: string, random: RandomSource): WrappedKey {
  const key = random.bytes(32);
  const uri = Buffer.from(purpose, 'utf8').subarray(0, maxUriBytes);
  try {
    const endorsementKey = decodeTpm2bPublic(keys.endorsementKey);
    const storageRootKey = decodeTpm2bPublic(keys.storageRootKey);
    const parts = createActivation({ endorsementKey, storageRootKey, key, uri, random });
    return { ok: true, key, activationBlob: joinActivationBlob(parts) };
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    // Which of the two it was matters only now.
    const problem = findStorageKeyProblem(keys.endorsementKey);
    const fault =
      problem === undefined ? faults.storageRootKey(error.message) : faults.endorsementKey(problem);
    return { ok: false, fault };
  }
}

/** Why bytes are no TPM2B_PUBLIC of a key that others can be wrapped for; undefined when they are one. Found by trying. */
export function findStorageKeyProblem(tpm2bPublic: Uint8Array): string | undefined {
  try {
    const endorsementKey = decodeTpm2bPublic(tpm2bPublic);
    const objectName = computeName(endorsementKey);
    makeCredential({ endorsementKey, objectName, credential: new Uint8Array(16), random: constantRandom });
    return undefined;
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    return error.message;
  }
}

// With two segments of at most 470 bytes, AMQP's SASL carries no more than 174 bytes here.
const maxUriBytes = 174;

/** For what is thrown away: a trial must not use up the randomness that makes a seeded run repeat. */
const constantRandom: RandomSource = { bytes: (byteLength) => new Uint8Array(byteLength).fill(1) };
