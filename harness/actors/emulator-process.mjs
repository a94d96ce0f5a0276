/**
 * The emulator in a process of its own, so that a profile shows nothing else.
 *
 * Environment: ENDORSE_CA_DIR. Prints one JSON line when it is ready; every further line on standard input is a
 * TPM enrollment as JSON (answered with a line); the end of the input stops it, and it prints what it has used.
 */
import { createInterface } from 'node:readline';
import { startEmulator } from '@endorse/emulator';

const startedAt = performance.now();
const emulator = await startEmulator({ retryAfterSeconds: 0, caDirectory: process.env.ENDORSE_CA_DIR });
const { idScope, provisioningHost, assignedHub, caFile } = emulator;
console.log(
  JSON.stringify({ idScope, provisioningHost, assignedHub, caFile, startMs: performance.now() - startedAt }),
);
const cpuAtStart = process.cpuUsage();

for await (const line of createInterface({ input: process.stdin })) {
  const { registrationId, endorsementKey, storageRootKey } = JSON.parse(line);
  await emulator.createTpmEnrollment({
    registrationId,
    endorsementKey: Buffer.from(endorsementKey, 'base64'),
    storageRootKey: Buffer.from(storageRootKey, 'base64'),
  });
  console.log(JSON.stringify({ enrolled: registrationId }));
}
await emulator.stop();
const { user, system } = process.cpuUsage(cpuAtStart);
console.log(JSON.stringify({ cpuMs: (user + system) / 1000, maxRssKiB: process.resourceUsage().maxRSS }));
