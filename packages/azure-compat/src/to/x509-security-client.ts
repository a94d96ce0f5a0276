import type { X509SecurityClient } from '@endorse/interface';
import type { AzureX509SecurityClient } from '../azure-types.ts';
import { answer, requireCallback } from '../callbacks.ts';
import { toAzureX509 } from '../certificate.ts';
import { requireClient } from './require-client.ts';

/**
 * Gives the official `ProvisioningDeviceClient` one of our X.509 identities. Resolves when the registration id is read:
 * ours has to be waited for, and their `getRegistrationId` answers at once. The callback is called exactly once, with
 * certificate and key as PEM, the key in the clear.
 *
 * Rejects with `ERR_INVALID_ARGUMENT` for anything but an X.509 security client, and with what its `getRegistrationId`
 * rejects with.
 */
export async function toAzureX509SecurityClient(
  securityClient: X509SecurityClient,
): Promise<AzureX509SecurityClient<Error>> {
  requireClient(securityClient, 'x509');
  const registrationId = await securityClient.getRegistrationId();
  return {
    getRegistrationId: () => registrationId,
    getCertificate(callback) {
      requireCallback(callback);
      answer(securityClient.getCertificate().then(toAzureX509), callback);
    },
  };
}
