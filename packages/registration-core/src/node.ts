/**
 * `ensureProvisioned()` with a state file: what a device calls at boot on
 * Node.js. The rest of the package is pure; this subpath touches the disk.
 *
 * @example
 * ```js
 * import { ensureProvisioned } from '@endorse/registration-core/node';
 *
 * export async function boot(transport, securityClient) {
 *   const device = await ensureProvisioned({
 *     stateFile: '/var/lib/my-device/assignment.json',
 *     provisioningHost: 'global.azure-devices-provisioning.net',
 *     idScope: '0ne000A247E',
 *     transport,
 *     securityClient,
 *     deadlineMs: 120_000,
 *   });
 *   console.log(`${device.deviceId} at ${device.assignedHub}, ${device.source}`);
 *   return device;
 * }
 * ```
 *
 * @packageDocumentation
 */
import { createFileStore } from './node/file-store.ts';
import type { ProvisioningOptions } from './provisioning/ensure-provisioned.ts';
import { ensureProvisioned as ensureProvisionedIn } from './provisioning/ensure-provisioned.ts';
import type { ProvisionedDevice } from './provisioning/provisioned-device.ts';

/** Options of {@link ensureProvisioned}. */
export interface EnsureProvisionedWithFileOptions extends ProvisioningOptions {
  /** Path of the file that keeps the assignment; its directory is made when it is missing. */
  readonly stateFile: string;
}

/**
 * Reuses the assignment in `stateFile`, or registers and writes it there; see
 * `ensureProvisioned()` of the package's root for when, and for its errors.
 */
export async function ensureProvisioned(
  options: EnsureProvisionedWithFileOptions,
): Promise<ProvisionedDevice> {
  const { stateFile, ...rest } = options;
  const { clock } = rest;
  const store = createFileStore(stateFile, clock === undefined ? {} : { clock });
  return ensureProvisionedIn({ ...rest, store });
}

export { createFileStore } from './node/file-store.ts';
