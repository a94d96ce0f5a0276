import type { DiscoverOptions } from '@endorse/discovery';
import { collectDevices } from '@endorse/discovery';
import { isIP } from 'node:net';
import type { ProbeDevice } from './ports.ts';

/** Long enough for four probes and the longest jitter of an answer. */
const defaultWindowMs = 3000;

/**
 * Asks a device directly whether it still answers discovery. A device known by name cannot be asked this way, because
 * answers are matched to addresses, and counts as silent. Options of the run are those of `discover`.
 */
export function discoveryProbe(options: DiscoverOptions = {}): ProbeDevice {
  return async ({ serial, host }, { signal }) => {
    if (isIP(host.split('%')[0] ?? '') === 0) return false;
    const { devices } = await collectDevices({
      windowMs: defaultWindowMs,
      ...options,
      broadcast: false,
      targets: [host],
      filter: { serial },
      expectedCount: 1,
      signal,
    });
    return devices.some(({ announcement }) => announcement.serial.toLowerCase() === serial.toLowerCase());
  };
}
