/**
 * Adapters both ways between Endorse and the callback interfaces of the official
 * Azure IoT SDK for Node.js: our TPM and transports under the official client, their
 * security clients and transports under ours, and their `TpmRegistration` on our
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
  AzureRegistrationCallback,
  AzureRegistrationResult,
  AzureRegistrationTransport,
  AzureTpmRegistrationOptions,
} from './azure-tpm-registration.ts';
export { AzureTpmRegistration, AzureTpmRegistration as TpmRegistration } from './azure-tpm-registration.ts';
export type {
  AzureCallback,
  AzureDeviceRegistrationResult,
  AzureDeviceRegistrationState,
  AzureErrorCallback,
  AzureOperationCallback,
  AzurePollingTransport,
  AzureRegistrationRequest,
  AzureTpmProvisioningTransport,
  AzureTpmSecurityClient,
} from './azure-types.ts';
export type {
  CallbackTpmTransport,
  TpmRegistrationInfo,
  TpmRegistrationResult,
} from './callback-transport.ts';
export { AzureTpmError, originalOf } from './errors.ts';
export type {
  AzureTpmSecurityClientLike,
  FromAzureTpmSecurityClientOptions,
} from './from-azure-tpm-security-client.ts';
export { fromAzureTpmSecurityClient } from './from-azure-tpm-security-client.ts';
export type { FromAzureTpmTransportOptions } from './from-azure-tpm-transport.ts';
export { fromAzureTpmTransport } from './from-azure-tpm-transport.ts';
export type {
  AzureAuthenticationProviderOptions,
  AzureDeviceCredentials,
} from './to-azure-authentication-provider.ts';
export {
  AzureAuthenticationProvider,
  toAzureAuthenticationProvider,
} from './to-azure-authentication-provider.ts';
export { toAzureTpmSecurityClient } from './to-azure-tpm-security-client.ts';
export { toAzureTransport } from './to-azure-transport.ts';
