/**
 * Registers devices with the provisioning service: one sans-IO machine and one
 * driver for TPM, symmetric key and X.509, over any transport.
 *
 * `register()` is one registration, `TpmRegistration` and its siblings can be
 * cancelled and repeated, and `ensureProvisioned()` is what a device calls at
 * boot. With a state file it comes from `@endorse/registration-core/node`.
 *
 * @example
 * ```js
 * import { register } from '@endorse/registration-core';
 *
 * export async function provision(transport, securityClient) {
 *   const result = await register({
 *     provisioningHost: 'global.azure-devices-provisioning.net',
 *     idScope: '0ne000A247E',
 *     transport,
 *     securityClient,
 *     deadlineMs: 120_000,
 *     onProgress: ({ event }) => console.log(event),
 *   });
 *   console.log(`${result.deviceId} belongs to ${result.assignedHub}`);
 *   return result;
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { RegistrationFailedCode } from './errors.ts';
export { RegistrationCancelledError, RegistrationFailedError } from './errors.ts';
export type { RetryPolicy } from './machine/retry-policy.ts';
export { createRetryPolicy, defaultRetryPolicy } from './machine/retry-policy.ts';
export type { RegisterOptions, RegistrationOptions, RegistrationParts } from './options.ts';
export type {
  EnsureProvisionedOptions,
  ProvisioningOptions,
  VerifyHubOptions,
} from './provisioning/ensure-provisioned.ts';
export { ensureProvisioned } from './provisioning/ensure-provisioned.ts';
export type { Assignment, ProvisionedDevice, RegistrationReason } from './provisioning/provisioned-device.ts';
export type { ProvisioningStateCode } from './provisioning/state-error.ts';
export { ProvisioningStateError } from './provisioning/state-error.ts';
export type { ProvisioningStore } from './provisioning/store.ts';
export { register } from './register.ts';
export type { RegistrationDefaults } from './registration.ts';
export { Registration } from './registration.ts';
export { SymmetricKeyRegistration } from './symmetric-key-registration.ts';
export { TpmRegistration } from './tpm-registration.ts';
export { X509Registration } from './x509-registration.ts';
