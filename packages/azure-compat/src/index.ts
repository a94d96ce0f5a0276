/**
 * Adapters both ways between Endorse and the callback interfaces of the official
 * Azure IoT SDK for Node.js: our security clients and transports under the official
 * client, theirs under ours, for every attestation, and their `TpmRegistration` on our
 * machine. Needs no package of that SDK.
 *
 * @example
 * ```js
 * import { toAzureTpmSecurityClient, toAzureTransport } from '@endorse/azure-compat';
 *
 * // `ProvisioningDeviceClient` comes from azure-iot-provisioning-device.
 * export function createOfficialClient(ProvisioningDeviceClient, transport, securityClient) {
 *   return ProvisioningDeviceClient.create(
 *     'global.azure-devices-provisioning.net',
 *     '0ne000A247E',
 *     toAzureTransport(transport),
 *     toAzureTpmSecurityClient(securityClient),
 *   );
 * }
 * ```
 *
 * @packageDocumentation
 */
export type {
  AzureCallback,
  AzureDeviceRegistrationResult,
  AzureDeviceRegistrationState,
  AzureErrorCallback,
  AzureOperationCallback,
  AzurePollingTransport,
  AzureProvisioningTransport,
  AzureRegistrationRequest,
  AzureResultCallback,
  AzureSharedAccessSignature,
  AzureSymmetricKeyProvisioningTransport,
  AzureSymmetricKeySecurityClient,
  AzureTpmProvisioningTransport,
  AzureTpmSecurityClient,
  AzureTransportOptions,
  AzureX509,
  AzureX509ProvisioningTransport,
  AzureX509SecurityClient,
} from './azure-types.ts';
export type { AzureSecurityClientErrorCode } from './errors.ts';
export { AzureSecurityClientError, originalOf } from './errors.ts';
export type { FromAzureSecurityClientOptions } from './from/security-calls.ts';
export { fromAzureSymmetricKeySecurityClient } from './from/symmetric-key-security-client.ts';
export type {
  AzureTpmSecurityClientLike,
  FromAzureTpmSecurityClientOptions,
} from './from/tpm-security-client.ts';
export { fromAzureTpmSecurityClient } from './from/tpm-security-client.ts';
export type { FromAzureTransportOptions } from './from/transport.ts';
export { fromAzureTransport } from './from/transport.ts';
export { fromAzureX509SecurityClient } from './from/x509-security-client.ts';
export type {
  AzureAuthenticationProviderOptions,
  AzureDeviceCredentials,
} from './to/authentication-provider.ts';
export { AzureAuthenticationProvider, toAzureAuthenticationProvider } from './to/authentication-provider.ts';
export { toAzureSymmetricKeySecurityClient } from './to/symmetric-key-security-client.ts';
export { toAzureTpmSecurityClient } from './to/tpm-security-client.ts';
export { toAzureTransport } from './to/transport.ts';
export { toAzureX509SecurityClient } from './to/x509-security-client.ts';
export type {
  AzureRegistrationCallback,
  AzureRegistrationResult,
  AzureRegistrationTransport,
  AzureTpmRegistrationOptions,
} from './tpm-registration/azure-tpm-registration.ts';
export {
  AzureTpmRegistration,
  AzureTpmRegistration as TpmRegistration,
} from './tpm-registration/azure-tpm-registration.ts';
export type {
  CallbackTpmTransport,
  TpmRegistrationInfo,
  TpmRegistrationResult,
} from './tpm-registration/callback-transport.ts';
