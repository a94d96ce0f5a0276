/**
 * Our `register()` over one transport of the official SDK, unmodified, for devices that end badly. Prints one JSON line
 * for each: what it rejects with, at the first attempt.
 *
 * Environment: ENDORSE_CARRIER, ENDORSE_HOST, ENDORSE_ID_SCOPE and ENDORSE_DEVICES: JSON, for each device
 * `registrationId` and `key` in base64.
 */
import { fromAzureSymmetricKeySecurityClient, fromAzureTransport } from '@endorse/azure-compat';
import { register } from '@endorse/registration-core';
import azureKey from 'azure-iot-security-symmetric-key';
import official from './official-client.cjs';

const { ENDORSE_CARRIER, ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_DEVICES } = process.env;

for (const { registrationId, key } of JSON.parse(ENDORSE_DEVICES)) {
  const securityClient = new azureKey.SymmetricKeySecurityClient(registrationId, key);
  const registration = register({
    provisioningHost: ENDORSE_HOST,
    idScope: ENDORSE_ID_SCOPE,
    transport: fromAzureTransport(() => official.createOfficialTransport(ENDORSE_CARRIER)),
    securityClient: fromAzureSymmetricKeySecurityClient(securityClient),
    deadlineMs: 10_000,
    retry: { maxRetries: 0 },
  });
  const { code, retryable, serviceCode, message } = await registration.catch((error) => error);
  console.log(JSON.stringify({ registrationId, code, retryable, serviceCode, message }));
}
// Sockets that official parts keep open would keep the process.
process.exit(0);
