/**
 * Load from a process of its own: software TPMs register over and over until told to stop.
 *
 * Sends `{ keys }` when its devices exist. Each message with an emulator's address starts a run
 * of `durationMs`, which is answered with `{ registrations }`.
 */
import { readFileSync } from 'node:fs';
import { register } from '@endorse/registration-core';
import { createSoftwareTpm } from '@endorse/testkit';
import { createHttpTransport } from '@endorse/transport-http';
import type { LoadStart } from './load.ts';

const deviceCount = Number(process.argv[2]);
const devices = await Promise.all(Array.from({ length: deviceCount }, () => createSoftwareTpm()));

process.send?.({
  keys: await Promise.all(
    devices.map(async (device) => ({
      registrationId: await device.getRegistrationId(),
      endorsementKey: Buffer.from(device.keys.endorsementKey).toString('base64'),
      storageRootKey: Buffer.from(device.keys.storageRootKey).toString('base64'),
    })),
  ),
});

process.on('message', (message) => {
  void run(message as LoadStart).then((registrations) => process.send?.({ registrations }));
});

async function run({ provisioningHost, idScope, caFile, durationMs }: LoadStart): Promise<number> {
  const transport = createHttpTransport({ ca: readFileSync(caFile, 'utf8') });
  const endsAt = performance.now() + durationMs;
  let registrations = 0;
  await Promise.all(
    devices.map(async (securityClient) => {
      while (performance.now() < endsAt) {
        await register({ provisioningHost, idScope, transport, securityClient, deadlineMs: 30_000 });
        registrations += 1;
      }
    }),
  );
  return registrations;
}
