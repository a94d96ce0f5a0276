import { cpus, platform, release, totalmem } from 'node:os';
import type { Machine } from '../bench.ts';

/** The machine this runs on. */
export function readMachine(): Machine {
  return {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    // Of its kernel the version, not who built it.
    system: `${platform()} ${release().split('.').slice(0, 2).join('.')}`,
  };
}
