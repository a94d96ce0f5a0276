/**
 * The device's side of dynamic registration: at every boot, credentials from the file, or else from the registrar, in
 * a way that survives lost replies and lost power.
 *
 * @example
 * ```js
 * import { Secret } from '@endorse/interface';
 * import { ensureRegistered } from '@endorse/dynamic-registration/client';
 *
 * export async function boot(token, serialNumber) {
 *   const { deviceId, accessKey, accessSecret, broker } = await ensureRegistered({
 *     token: Secret.fromText(token),
 *     manufacturerId: serialNumber,
 *     stateFile: '/var/lib/device/credentials.json',
 *     deadlineMs: 600_000,
 *   });
 *   return { url: broker, clientId: deviceId, username: accessKey, password: accessSecret.revealText() };
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { DeviceCallOptions } from './device-calls.ts';
export { acknowledge, fetchDevice, rotateCredentials } from './device-calls.ts';
export { ensureRegistered } from './ensure-registered.ts';
export type { DeviceRegistrationErrorCode } from './errors.ts';
export { DeviceRegistrationError } from './errors.ts';
export type {
  DeviceCredentials,
  DeviceProgress,
  EnsureRegisteredOptions,
  RegistrationTpm,
} from './options.ts';
export type { WrappedDeviceSecret } from './reply.ts';
