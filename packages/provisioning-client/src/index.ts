/**
 * The pump-driven provisioning client, for code that lives in a loop: nothing blocks, nothing happens outside
 * `doWork()`, callbacks report. For code that does not, there is the same client behind a promise.
 *
 * @example
 * ```js
 * import { ProvDeviceResult, ProvisioningClientLL } from '@endorse/provisioning-client';
 * import { createHttpTransport } from '@endorse/transport-http';
 *
 * export async function startRegistration(securityClient, onAssigned) {
 *   const host = 'global.azure-devices-provisioning.net';
 *   const options = { securityClient, deadlineMs: 120_000, onCreateError: console.error };
 *   const client = await ProvisioningClientLL.create(host, '0ne000A247E', createHttpTransport(), options);
 *   if (client === null) return undefined;
 *   client.registerDevice((result, iothubUri, deviceId) => {
 *     if (result === ProvDeviceResult.OK) onAssigned(iothubUri, deviceId);
 *     else console.error(client.lastError);
 *   });
 *   return client; // whose doWork() the caller's loop calls
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { ProvisioningClientOptionValues, RegisterDeviceOptions } from './client.ts';
export { ProvisioningClient } from './client.ts';
export { ProvisioningClientLL } from './client-ll.ts';
export type {
  ProvisioningClientOptions,
  ProvisioningErrorCallback,
  RegisterDeviceCallback,
  RegisterStatusCallback,
} from './client-options.ts';
export type { ProvDeviceFailure, ProvisioningClientErrorCode } from './errors.ts';
export { ProvisioningClientError } from './errors.ts';
export type { StateName } from './machine/index.ts';
export { ProvDeviceRegStatus, ProvDeviceResult, nameOfResult, nameOfStatus } from './results.ts';
export type { Assignment } from './service-reply.ts';
export type { ProvisioningOptionName, ProvisioningOptionValues, ProxyData } from './settings.ts';
