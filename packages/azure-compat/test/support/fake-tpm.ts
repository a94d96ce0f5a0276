import { createHmac } from 'node:crypto';
import type { TpmSecurityClient } from '@endorse/interface';
import { endorsementKey, registrationId, storageRootKey } from './callback-parts.ts';

/** One of our TPM security clients that takes a blob for the key itself, and remembers what it was called with. */
export function createFakeTpm(): TpmSecurityClient & { readonly identityKeys: readonly Uint8Array[] } {
  const identityKeys: Uint8Array[] = [];
  return {
    specificationVersion: 'v1',
    kind: 'tpm',
    identityKeys,
    getRegistrationId: async () => registrationId,
    getEndorsementKey: async () => Uint8Array.from(endorsementKey),
    getStorageRootKey: async () => Uint8Array.from(storageRootKey),
    activateIdentityKey: async (activationBlob) => void identityKeys.push(Uint8Array.from(activationBlob)),
    signWithIdentity: async (data) => {
      const key = identityKeys.at(-1);
      if (key === undefined) throw new Error('no identity key');
      return Uint8Array.from(createHmac('sha256', key).update(data).digest());
    },
  };
}
