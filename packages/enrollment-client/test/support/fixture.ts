import type { Emulator, EmulatorOptions } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type { EnrollmentClient, EnrollmentClientOptions } from '@endorse/enrollment-client';
import { createEnrollmentClient } from '@endorse/enrollment-client';
import { generateSoftwareTpmKeys } from '@endorse/testkit';

/** A running emulator and a client of its service API. */
export interface Fixture extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly client: EnrollmentClient;
}

export async function startFixture(
  options: Partial<EnrollmentClientOptions> = {},
  emulatorOptions: EmulatorOptions = {},
): Promise<Fixture> {
  const emulator = await startEmulator(emulatorOptions);
  const { serviceConnectionString: connectionString, caPem: ca } = emulator;
  const client = createEnrollmentClient({ connectionString, ca, ...options });
  return {
    emulator,
    client,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await emulator.stop();
    },
  };
}

/** An endorsement key that a TPM could have. */
export const { endorsementKey, storageRootKey } = await generateSoftwareTpmKeys();
