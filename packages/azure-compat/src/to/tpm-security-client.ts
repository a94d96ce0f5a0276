import type { TpmSecurityClient } from '@endorse/interface';
import type { AzureTpmSecurityClient } from '../azure-types.ts';
import { answer, requireCallback } from '../callbacks.ts';
import { requireClient } from './require-client.ts';

/**
 * Gives the official `ProvisioningDeviceClient` and `TpmAuthenticationProvider`
 * one of our TPM security clients. Every callback is called exactly once, never
 * before the method has returned. Throws `ERR_INVALID_ARGUMENT` for anything but a
 * TPM security client; its methods throw it for a callback that is no function.
 */
export function toAzureTpmSecurityClient(securityClient: TpmSecurityClient): AzureTpmSecurityClient<Error> {
  requireClient(securityClient, 'tpm');
  return {
    getEndorsementKey(callback) {
      requireCallback(callback);
      answer(securityClient.getEndorsementKey().then(toBuffer), callback);
    },
    getStorageRootKey(callback) {
      requireCallback(callback);
      answer(securityClient.getStorageRootKey().then(toBuffer), callback);
    },
    signWithIdentity(toSign, callback) {
      requireCallback(callback);
      answer(securityClient.signWithIdentity(toSign).then(toBuffer), callback);
    },
    activateIdentityKey(key, callback) {
      requireCallback(callback);
      answer(securityClient.activateIdentityKey(key), (error) => callback(error));
    },
    getRegistrationId(callback) {
      requireCallback(callback);
      answer(securityClient.getRegistrationId(), callback);
    },
  };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
