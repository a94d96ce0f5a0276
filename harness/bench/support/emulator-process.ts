import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startJsonLinesChild } from './json-lines-child.ts';

/** What the emulator's process says when it is ready. */
export interface EmulatorReady {
  readonly idScope: string;
  /** `host:port` of each carrier. */
  readonly provisioningHost: string;
  readonly amqp: string;
  readonly mqtt: string;
  readonly caFile: string;
  readonly serviceConnectionString: string;
  /** To load the package, in milliseconds. */
  readonly importMs: number;
  /** From the call of `startEmulator` until it listens. */
  readonly startMs: number;
  /** When it listened. */
  readonly rssMiB: number;
}

/** An emulator in a process of its own, from an installed package. */
export interface EmulatorProcess extends AsyncDisposable {
  readonly ready: EmulatorReady;
  /** From the start of the process until it said that it was ready, in milliseconds. */
  readonly readyMs: number;
  /** What it has used since the last call: CPU time in milliseconds; and its memory now. */
  takeUsage(): Promise<{ readonly cpuMs: number; readonly rssMiB: number }>;
}

/** Starts one. */
export async function startEmulatorProcess(options: {
  /** Folder of the installed actors. */
  readonly actors: string;
  readonly storage: 'memory' | 'sqlite';
  readonly devices: number;
}): Promise<EmulatorProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'endorse-load-'));
  const startedAt = performance.now();
  const child = startJsonLinesChild([join(options.actors, 'emulator-under-load.mjs')], {
    ENDORSE_CA_DIR: join(directory, 'ca'),
    ENDORSE_DEVICES: String(options.devices),
    ...(options.storage === 'sqlite' ? { ENDORSE_DATA_DIR: join(directory, 'data') } : {}),
  });
  const ready = (await child.next()) as EmulatorReady;
  return {
    ready,
    readyMs: performance.now() - startedAt,
    takeUsage: async () => (await child.ask('')) as { readonly cpuMs: number; readonly rssMiB: number },
    [Symbol.asyncDispose]: async () => {
      await child.end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
