import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CryptographyShares } from './cpu-profile.ts';
import { cryptographyShares } from './cpu-profile.ts';
import { startEmulatorChild } from '../support/emulator-child.ts';
import type { InstalledProject } from '../support/projects.ts';

/** What a load client is told. */
export interface LoadStart {
  readonly provisioningHost: string;
  readonly idScope: string;
  readonly caFile: string;
  readonly durationMs: number;
}

/** The emulator under load from other processes. */
export interface LoadFigures {
  readonly registrations: number;
  readonly registrationsPerSecond: number;
  /** CPU time of the emulator for one registration, in milliseconds. */
  readonly cpuMsPerRegistration: number;
  readonly maxRssMiB: number;
  /** Where its busy time went. */
  readonly shares: CryptographyShares;
}

/** Long enough for both sides to be compiled and optimised. */
const warmUpMs = 2_000;

interface WireKeys {
  readonly registrationId: string;
  readonly endorsementKey: string;
  readonly storageRootKey: string;
}

/** Loads an emulator that is profiled, from `processes` processes with `devices` devices each. */
export async function measureLoad(
  project: InstalledProject,
  options: { readonly processes: number; readonly devices: number; readonly durationMs: number },
): Promise<LoadFigures> {
  const directory = await mkdtemp(join(tmpdir(), 'endorse-load-'));
  const clients = Array.from({ length: options.processes }, () => startClient(options.devices));
  try {
    const emulator = await startEmulatorChild({
      script: join(project.actors, 'emulator-process.mjs'),
      caDirectory: directory,
    });
    const { provisioningHost, idScope, caFile } = emulator.address;
    for (const keys of (await Promise.all(clients.map(keysOf))).flat()) {
      await emulator.enroll({
        registrationId: keys.registrationId,
        endorsementKey: Buffer.from(keys.endorsementKey, 'base64'),
        storageRootKey: Buffer.from(keys.storageRootKey, 'base64'),
      });
    }
    const load = async (durationMs: number): Promise<number[]> => {
      const start: LoadStart = { provisioningHost, idScope, caFile, durationMs };
      return Promise.all(clients.map((client) => runClient(client, start)));
    };
    await load(warmUpMs);
    await emulator.measure();
    const counts = await load(options.durationMs);
    const { cpuMs, maxRssKiB, profile } = await emulator.stop();
    if (profile === undefined) throw new Error('the emulator sent no profile');
    const registrations = counts.reduce((sum, count) => sum + count, 0);
    return {
      registrations,
      registrationsPerSecond: (registrations * 1000) / options.durationMs,
      cpuMsPerRegistration: cpuMs / registrations,
      maxRssMiB: maxRssKiB / 1024,
      shares: cryptographyShares(profile),
    };
  } finally {
    for (const client of clients) client.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

function startClient(devices: number): ChildProcess {
  return fork(fileURLToPath(new URL('load-client.ts', import.meta.url)), [String(devices)], {
    execArgv: ['--conditions=@endorse/source'],
  });
}

async function keysOf(client: ChildProcess): Promise<readonly WireKeys[]> {
  const [message] = (await once(client, 'message')) as [{ keys: readonly WireKeys[] }];
  return message.keys;
}

async function runClient(client: ChildProcess, start: LoadStart): Promise<number> {
  const answered = once(client, 'message');
  client.send(start);
  const [message] = (await answered) as [{ registrations: number }];
  return message.registrations;
}
