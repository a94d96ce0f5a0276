import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { CpuProfile } from '../cryptography/cpu-profile.ts';

/** What the emulator's process says when it is ready. */
export interface EmulatorAddress {
  readonly idScope: string;
  readonly provisioningHost: string;
  readonly assignedHub: string;
  readonly caFile: string;
  /** From the call of `startEmulator` until it listens, in milliseconds. */
  readonly startMs: number;
}

/** What the emulator's process says when it ends: what it has used since `measure`, or since its start. */
export interface EmulatorUsage {
  readonly cpuMs: number;
  readonly maxRssKiB: number;
  /** Where the time went; only after `measure`. */
  readonly profile?: CpuProfile;
}

/** Keys of a device to enroll. */
export interface EnrollmentKeys {
  readonly registrationId: string;
  readonly endorsementKey: Uint8Array;
  readonly storageRootKey: Uint8Array;
}

/** An emulator in a process of its own. */
export interface EmulatorChild extends AsyncDisposable {
  readonly address: EmulatorAddress;
  enroll(keys: EnrollmentKeys): Promise<void>;
  /** Starts profiling and counting anew: what came before was loading and warming up. */
  measure(): Promise<void>;
  /** Ends the process and returns what it has used. */
  stop(): Promise<EmulatorUsage>;
}

/** Starts `actors/emulator-process.mjs` from an installed project. */
export async function startEmulatorChild(options: {
  readonly script: string;
  readonly caDirectory: string;
}): Promise<EmulatorChild> {
  const child = spawn(process.execPath, [options.script], {
    env: { ...process.env, NODE_OPTIONS: '', ENDORSE_CA_DIR: options.caDirectory },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the emulator ended early');
    return JSON.parse(value) as unknown;
  };
  const address = (await nextLine()) as EmulatorAddress;
  let usage: Promise<EmulatorUsage> | undefined;
  const stop = (): Promise<EmulatorUsage> =>
    (usage ??= (async () => {
      child.stdin.end();
      const used = (await nextLine()) as EmulatorUsage;
      await closed;
      return used;
    })());
  const ask = async (request: Readonly<Record<string, unknown>>): Promise<void> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    await nextLine();
  };
  return {
    address,
    enroll: (keys) =>
      ask({
        registrationId: keys.registrationId,
        endorsementKey: Buffer.from(keys.endorsementKey).toString('base64'),
        storageRootKey: Buffer.from(keys.storageRootKey).toString('base64'),
      }),
    measure: () => ask({ measure: true }),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}
