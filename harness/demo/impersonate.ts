import type { TpmSecurityClient } from '@endorse/interface';

/** A TPM that shows somebody else's public keys: all an attacker without the enrolled chip can do. */
export function impersonate(
  attacker: TpmSecurityClient,
  victim: { readonly endorsementKey: Uint8Array; readonly storageRootKey: Uint8Array },
): TpmSecurityClient {
  return {
    specificationVersion: 'v1',
    kind: 'tpm',
    getRegistrationId: (options) => attacker.getRegistrationId(options),
    getEndorsementKey: async () => victim.endorsementKey,
    getStorageRootKey: async () => victim.storageRootKey,
    activateIdentityKey: (blob, options) => attacker.activateIdentityKey(blob, options),
    signWithIdentity: (data, options) => attacker.signWithIdentity(data, options),
  };
}
