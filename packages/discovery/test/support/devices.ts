import type { DeviceAnnouncement } from '@endorse/discovery';
import type { RandomSource } from '@endorse/interface';

/** A gateway as it leaves the works. */
export function device(changes: Partial<DeviceAnnouncement> = {}): DeviceAnnouncement {
  return {
    serial: 'TBBAA1234501',
    vendor: 'Example',
    model: 'AIG-301-T-AZU-LX',
    mac: '0090e8000001',
    addresses: ['192.168.3.21'],
    api: { scheme: 'https', port: 8443, path: '/api/v1', kind: 'thingspro-edge' },
    state: 'factory',
    capabilities: ['tpm', 'dps'],
    ...changes,
  };
}

/** Repeatable randomness: a 32-bit xorshift. */
export function seededRandom(seed: number): RandomSource {
  let state = seed >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  return { bytes: (byteLength) => Uint8Array.from({ length: byteLength }, () => next() & 255) };
}
