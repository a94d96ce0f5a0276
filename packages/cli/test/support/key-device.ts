import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmulator, type Emulator } from '@endorse/emulator';
import { makeDirectory } from './device.ts';

/** A device with a symmetric key, and an emulator that knows it. */
export interface KeyDevice extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly directory: string;
  /** Primary and secondary key, in base64. */
  readonly keys: readonly [string, string];
  /** Arguments of `endorse register` without an identity. */
  readonly anonymousArgs: readonly string[];
  /** Arguments of `endorse register` for this device, its key in `DEVICE_KEY`. */
  readonly registerArgs: readonly string[];
}

/** Starts the emulator and enrolls `key-device`. */
export async function startKeyDevice(): Promise<KeyDevice> {
  const stack = new AsyncDisposableStack();
  try {
    const directory = stack.use(await makeDirectory());
    const emulator = stack.use(await startEmulator());
    const caFile = join(directory.path, 'ca.pem');
    await writeFile(caFile, emulator.caPem);
    const { primaryKey, secondaryKey } = await emulator.createSymmetricKeyEnrollment({
      registrationId: 'key-device',
      deviceId: 'name-at-the-hub',
    });
    const anonymousArgs = [
      'register',
      ...['--host', emulator.provisioningHost, '--id-scope', emulator.idScope, '--ca', caFile],
    ];
    return {
      emulator,
      directory: directory.path,
      keys: [toBase64(primaryKey.reveal()), toBase64(secondaryKey.reveal())],
      anonymousArgs,
      registerArgs: [
        ...anonymousArgs,
        ...['--symmetric-key-env', 'DEVICE_KEY', '--registration-id', 'key-device'],
      ],
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function toBase64(key: Uint8Array): string {
  return Buffer.from(key).toString('base64');
}
