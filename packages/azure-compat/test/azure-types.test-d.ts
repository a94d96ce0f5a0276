/** Compiled, not run: our adapters are what the official SDK's types ask for, and the other way round. */
import type {
  AzureDeviceRegistrationResult,
  AzurePollingTransport,
  AzureTpmProvisioningTransport,
  AzureTpmSecurityClient,
  CallbackTpmTransport,
  TpmRegistrationResult,
} from '@endorse/azure-compat';
import {
  AzureTpmRegistration,
  fromAzureTpmSecurityClient,
  fromAzureTpmTransport,
  toAzureTpmSecurityClient,
  toAzureTransport,
} from '@endorse/azure-compat';
import type { Transport, TpmSecurityClient } from '@endorse/interface';
import type { TpmProvisioningTransport } from 'azure-iot-provisioning-device';
import { ProvisioningDeviceClient } from 'azure-iot-provisioning-device';
import { Http } from 'azure-iot-provisioning-device-http';
import { TpmSecurityClient as OfficialTpmSecurityClient } from 'azure-iot-security-tpm';

declare const transport: Transport;
declare const securityClient: TpmSecurityClient;
declare const callbackTransport: CallbackTpmTransport;

// Ours as theirs.
export const theirTransport: TpmProvisioningTransport = toAzureTransport(transport);
export const theirClient: ReturnType<typeof ProvisioningDeviceClient.create> =
  ProvisioningDeviceClient.create(
    'host',
    'scope',
    toAzureTransport(transport),
    toAzureTpmSecurityClient(securityClient),
  );

// Theirs as ours.
const officialClient = new OfficialTpmSecurityClient();
export const ourNameForTheirClient: AzureTpmSecurityClient = officialClient;
export const ourNameForTheirTransport: AzureTpmProvisioningTransport & AzurePollingTransport = new Http();
export const ourClient: TpmSecurityClient = fromAzureTpmSecurityClient(officialClient);
export const ourTransports: readonly Transport[] = [
  fromAzureTpmTransport(new Http()),
  fromAzureTpmTransport(() => new Http()),
];

// What a registration results in depends on the transport.
const overOfficial = new AzureTpmRegistration('host', 'scope', new Http(), officialClient);
export const wholeOperation: Promise<AzureDeviceRegistrationResult> = overOfficial.register();
const overCallbacks = new AzureTpmRegistration('host', 'scope', callbackTransport, officialClient);
export const itsOwnResult: Promise<TpmRegistrationResult> = overCallbacks.register();
// @ts-expect-error -- an official transport does not result in a TpmRegistrationResult
export const wrongResult: Promise<TpmRegistrationResult> = overOfficial.register();
export const nothing: void = overOfficial.register((error, result) => {
  const failure: Error | null = error;
  const operation: AzureDeviceRegistrationResult | undefined = result;
  void [failure, operation];
});
// @ts-expect-error -- a symmetric key has no place in a TPM adapter
toAzureTpmSecurityClient({ specificationVersion: 'v1', kind: 'symmetric-key' });
