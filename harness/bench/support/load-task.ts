import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Carrier } from './carrier.ts';
import type { EmulatorReady } from './emulator-process.ts';
import type { Summary } from './statistics.ts';

/** What a load client is told to do. */
export type LoadTask =
  | {
      readonly kind: 'register';
      readonly emulator: EmulatorReady;
      readonly carrier: Carrier;
      /** The devices are `device-<n>` from this one on; default 0. */
      readonly firstDevice?: number;
      /** How many register at the same time. */
      readonly devices: number;
      readonly warmUpMs: number;
      readonly durationMs: number;
    }
  | {
      readonly kind: 'enroll';
      readonly emulator: EmulatorReady;
      /** Part of the registration ids. */
      readonly name: string;
      readonly connections: number;
      /** Enrollments a request; absent for a PUT each. */
      readonly bulkSize?: number;
      readonly warmUpMs: number;
      readonly durationMs: number;
    };

/** What came of it: requests or registrations, whole ones, after the warm-up. */
export interface LoadResult {
  /** All of them, those of the warm-up included. */
  readonly total: number;
  readonly perSecond: number;
  /** Time of one. */
  readonly latencyMs: Summary;
}

/** Runs a task in a fresh process, so that what one left behind is not the next one's burden. */
export async function runLoadClient(task: LoadTask): Promise<LoadResult> {
  const client = fork(fileURLToPath(new URL('load-client.ts', import.meta.url)), {
    execArgv: ['--conditions=@endorse/source'],
  });
  try {
    const answered = once(client, 'message');
    const ended = once(client, 'exit').then(() => {
      throw new Error(`a load client ended early, at ${task.kind}`);
    });
    client.send(task);
    const [result] = (await Promise.race([answered, ended])) as [LoadResult];
    return result;
  } finally {
    client.kill();
  }
}
