/**
 * An identity that is a shared key: the key of an individual enrollment, or one derived
 * from the key of an enrollment group. Signs what the provisioning service and the hub
 * ask for, and keeps the key out of logs.
 *
 * @example
 * ```js
 * import { createSymmetricKeySecurityClient, keyFromFile } from '@endorse/security-symmetric-key';
 *
 * export async function signAsDevice(data) {
 *   const signal = AbortSignal.timeout(5_000);
 *   const key = await keyFromFile('/etc/my-device/key', { signal });
 *   const client = createSymmetricKeySecurityClient({ registrationId: 'my-device-1', key });
 *   key.dispose(); // the client has a copy
 *   try {
 *     return await client.signWithIdentity(data, { signal });
 *   } finally {
 *     await client.close();
 *   }
 * }
 * ```
 *
 * @packageDocumentation
 */
export type {
  GroupKeyOptions,
  IndividualKeyOptions,
  SymmetricKeySecurityClientHandle,
  SymmetricKeySecurityClientOptions,
} from './client.ts';
export { createSymmetricKeySecurityClient } from './client.ts';
export type { KeySourceErrorCode } from './errors.ts';
export { KeySourceError } from './errors.ts';
export { keyFromEnvironment } from './key-from-environment.ts';
export type { KeyFromFileOptions } from './key-from-file.ts';
export { keyFromFile } from './key-from-file.ts';
export { maxKeyBytes, minKeyBytes } from './key-length.ts';
