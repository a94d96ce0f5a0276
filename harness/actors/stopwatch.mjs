/**
 * A TPM security client with a stopwatch, so that what the TPM takes can be told apart
 * from what the client takes: `tpmMs` is the time inside the security client, `deviceMs`
 * the part of it spent waiting for the TPM device.
 */
import { createTpmSecurityClient } from '@endorse/security-tpm';

export async function createTimedSecurityClient(options) {
  let tpmMs = 0;
  let deviceMs = 0;
  const client = await createTpmSecurityClient({
    ...options,
    onTrace: ({ durationMs }) => {
      deviceMs += durationMs;
    },
  });
  const timed =
    (name) =>
    async (...args) => {
      const startedAt = performance.now();
      try {
        return await client[name](...args);
      } finally {
        tpmMs += performance.now() - startedAt;
      }
    };
  return {
    specificationVersion: client.specificationVersion,
    kind: client.kind,
    getRegistrationId: timed('getRegistrationId'),
    getEndorsementKey: timed('getEndorsementKey'),
    getStorageRootKey: timed('getStorageRootKey'),
    activateIdentityKey: timed('activateIdentityKey'),
    signWithIdentity: timed('signWithIdentity'),
    close: () => client.close(),
    takeTimes() {
      const taken = { tpmMs, deviceMs };
      tpmMs = 0;
      deviceMs = 0;
      return taken;
    },
  };
}
