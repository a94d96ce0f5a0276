import type { CpuProfile } from '../cryptography/cpu-profile.ts';
import { startJsonLinesChild } from './json-lines-child.ts';

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
  const child = startJsonLinesChild([options.script], { ENDORSE_CA_DIR: options.caDirectory });
  const address = (await child.next()) as EmulatorAddress;
  let usage: Promise<EmulatorUsage> | undefined;
  const stop = (): Promise<EmulatorUsage> => (usage ??= child.end() as Promise<EmulatorUsage>);
  const ask = async (request: Readonly<Record<string, unknown>>): Promise<void> => {
    await child.ask(JSON.stringify(request));
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
