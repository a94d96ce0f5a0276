import type { RandomSource } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import { joinActivationBlob } from '@endorse/protocol';
import type { PublicArea } from '@endorse/tpm2';
import { createActivation, decodeTpm2bPublic, publicKeyFromArea } from '@endorse/tpm2';
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
  const endorsementKey = readStorageKey(keys.endorsementKey);
  if (typeof endorsementKey === 'string') return { ok: false, fault: faults.endorsementKey(endorsementKey) };
  const storageRootKey = readStorageKey(keys.storageRootKey);
  if (typeof storageRootKey === 'string') return { ok: false, fault: faults.storageRootKey(storageRootKey) };
  const key = random.bytes(32);
  const uri = Buffer.from(purpose, 'utf8').subarray(0, maxUriBytes);
  const parts = createActivation({ endorsementKey, storageRootKey, key, uri, random });
  return { ok: true, key, activationBlob: joinActivationBlob(parts) };
}

/** Why bytes are no TPM2B_PUBLIC of a key that others can be wrapped for; undefined when they are one. */
export function findStorageKeyProblem(tpm2bPublic: Uint8Array): string | undefined {
  const area = readStorageKey(tpm2bPublic);
  return typeof area === 'string' ? area : undefined;
}

// With two segments of at most 470 bytes, AMQP's SASL carries no more than 174 bytes here.
const maxUriBytes = 174;

/** Everything `createActivation` asks of a key, so that nothing a device sends makes it throw. */
function readStorageKey(tpm2bPublic: Uint8Array): PublicArea | string {
  try {
    const area = decodeTpm2bPublic(tpm2bPublic);
    publicKeyFromArea(area);
    if (area.nameAlg === null) return 'the public area has no name algorithm';
    const isStorageKey = (area.type === 'rsa' || area.type === 'ecc') && area.symmetric !== null;
    return isStorageKey ? area : 'the key is no storage key: it has no cipher for what is wrapped for it';
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    return error.message;
  }
}
