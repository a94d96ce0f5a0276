/** Compiled, not run: our adapters are what the official SDK's types ask for, and the other way round. */
import type {
  AzureDeviceRegistrationResult,
  AzurePollingTransport,
  AzureSymmetricKeyProvisioningTransport,
  AzureSymmetricKeySecurityClient,
  AzureTpmProvisioningTransport,
  AzureTpmSecurityClient,
  AzureX509ProvisioningTransport,
  AzureX509SecurityClient,
  CallbackTpmTransport,
  TpmRegistrationResult,
} from '@endorse/azure-compat';
import {
  AzureTpmRegistration,
  fromAzureSymmetricKeySecurityClient,
  fromAzureTpmSecurityClient,
  fromAzureTransport,
  fromAzureX509SecurityClient,
  toAzureSymmetricKeySecurityClient,
  toAzureTpmSecurityClient,
  toAzureTransport,
  toAzureX509SecurityClient,
} from '@endorse/azure-compat';
import type {
  SecurityClient,
  SymmetricKeySecurityClient,
  TokenIssuingSecurityClient,
  TpmSecurityClient,
  Transport,
  X509SecurityClient,
} from '@endorse/interface';
import type {
  SymmetricKeyProvisioningTransport,
  TpmProvisioningTransport,
  X509ProvisioningTransport,
} from 'azure-iot-provisioning-device';
import { ProvisioningDeviceClient } from 'azure-iot-provisioning-device';
import { Amqp, AmqpWs } from 'azure-iot-provisioning-device-amqp';
import { Http } from 'azure-iot-provisioning-device-http';
import { Mqtt, MqttWs } from 'azure-iot-provisioning-device-mqtt';
import { SymmetricKeySecurityClient as OfficialKeyClient } from 'azure-iot-security-symmetric-key';
import { TpmSecurityClient as OfficialTpmClient } from 'azure-iot-security-tpm';
import { X509Security } from 'azure-iot-security-x509';

declare const transport: Transport;
declare const tpm: TpmSecurityClient;
declare const signer: SymmetricKeySecurityClient;
declare const issuer: TokenIssuingSecurityClient;
declare const x509: X509SecurityClient;
declare const callbackTransport: CallbackTpmTransport;

// Ours as theirs.
const { create } = ProvisioningDeviceClient;
export const theirClients: readonly unknown[] = [
  create('host', 'scope', toAzureTransport(transport), toAzureTpmSecurityClient(tpm)),
  create('host', 'scope', toAzureTransport(transport), toAzureSymmetricKeySecurityClient(signer)),
  create('host', 'scope', toAzureTransport(transport), toAzureSymmetricKeySecurityClient(issuer)),
  create('host', 'scope', toAzureTransport(transport), await toAzureX509SecurityClient(x509)),
];
declare const ourTpmCarrier: AzureTpmProvisioningTransport<Error>;
declare const ourKeyCarrier: AzureSymmetricKeyProvisioningTransport<Error>;
declare const ourX509Carrier: AzureX509ProvisioningTransport<Error>;
export const theirTransports: [
  TpmProvisioningTransport,
  SymmetricKeyProvisioningTransport,
  X509ProvisioningTransport,
] = [ourTpmCarrier, ourKeyCarrier, ourX509Carrier];

// Theirs as ours.
const officialTpm = new OfficialTpmClient();
const officialKey = new OfficialKeyClient('id', 'key');
const officialX509 = new X509Security('id', { cert: 'PEM', key: 'PEM' });
export const ourNames: [AzureTpmSecurityClient, AzureSymmetricKeySecurityClient, AzureX509SecurityClient] = [
  officialTpm,
  officialKey,
  officialX509,
];
export const ourNamesForHttp: AzureTpmProvisioningTransport &
  AzureSymmetricKeyProvisioningTransport &
  AzureX509ProvisioningTransport &
  AzurePollingTransport = new Http();
export const ourNamesForMqtt: AzureSymmetricKeyProvisioningTransport & AzureX509ProvisioningTransport =
  new Mqtt();
// @ts-expect-error -- the service does not offer a TPM over MQTT, nor does their transport
export const noTpmOverMqtt: AzureTpmProvisioningTransport = new Mqtt();
export const ourClients: readonly SecurityClient[] = [
  fromAzureTpmSecurityClient(officialTpm),
  fromAzureSymmetricKeySecurityClient(officialKey),
  fromAzureX509SecurityClient(officialX509),
];
export const ourTransports: readonly Transport[] = [
  fromAzureTransport(() => new Http()),
  fromAzureTransport(() => new Amqp()),
  fromAzureTransport(() => new AmqpWs()),
  fromAzureTransport(() => new Mqtt()),
  fromAzureTransport(() => new MqttWs()),
];
// @ts-expect-error -- their client makes tokens and signs nothing
export const noSigner: SymmetricKeySecurityClient = fromAzureSymmetricKeySecurityClient(officialKey);

// What a registration results in depends on the transport.
const overOfficial = new AzureTpmRegistration('host', 'scope', new Http(), officialTpm);
export const wholeOperation: Promise<AzureDeviceRegistrationResult> = overOfficial.register();
const overCallbacks = new AzureTpmRegistration('host', 'scope', callbackTransport, officialTpm);
export const itsOwnResult: Promise<TpmRegistrationResult> = overCallbacks.register();
// @ts-expect-error -- an official transport does not result in a TpmRegistrationResult
export const wrongResult: Promise<TpmRegistrationResult> = overOfficial.register();
export const nothing: void = overOfficial.register((error, result) => {
  const failure: Error | null = error;
  const operation: AzureDeviceRegistrationResult | undefined = result;
  void [failure, operation];
});
// @ts-expect-error -- a symmetric key has no place in a TPM adapter
toAzureTpmSecurityClient(signer);
