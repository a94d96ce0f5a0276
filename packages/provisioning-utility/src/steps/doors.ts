import type { Clock } from '@endorse/interface';
import { ProvisioningError } from '../errors.ts';
import type { ProbeDevice } from '../ports.ts';
import type { StepOptions } from './step-outcome.ts';

/**
 * Looks from outside whether the discovery door is closed: a device that still answers a probe is `ERR_DOOR_OPEN`,
 * whatever its API says.
 *
 * @example
 * ```js
 * import { systemClock } from '@endorse/interface/node';
 * import { discoveryProbe, requireSilence } from '@endorse/provisioning-utility';
 *
 * export async function checkDoor(serial, host) {
 *   const signal = AbortSignal.timeout(30_000);
 *   await requireSilence({ probe: discoveryProbe(), device: { serial, host }, clock: systemClock, signal });
 * }
 * ```
 */
export async function requireSilence(
  options: StepOptions & {
    readonly probe: ProbeDevice;
    readonly device: { readonly serial: string; readonly host: string };
    readonly clock: Clock;
  },
): Promise<void> {
  const { probe, device, signal } = options;
  if (!(await probe(device, { signal }))) return;
  throw new ProvisioningError('ERR_DOOR_OPEN', `${device.serial} still answers discovery probes`, {
    remedy: 'Restart the gateway and look again; then resume.',
  });
}
