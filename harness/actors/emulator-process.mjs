/**
 * The emulator in a process of its own, so that a profile shows nothing else.
 *
 * Environment: ENDORSE_CA_DIR. Prints one JSON line when it is ready. Every line on standard input is answered with
 * a line: a TPM enrollment as JSON, or `{"measure":true}`, which starts the profiler and the count of CPU time.
 * The end of the input stops it: it prints what it has used since, and where.
 */
import { Session } from 'node:inspector/promises';
import { createInterface } from 'node:readline';
import { startEmulator } from '@endorse/emulator';

const startedAt = performance.now();
const emulator = await startEmulator({ retryAfterSeconds: 0, caDirectory: process.env.ENDORSE_CA_DIR });
const { idScope, provisioningHost, assignedHub, caFile } = emulator;
console.log(
  JSON.stringify({ idScope, provisioningHost, assignedHub, caFile, startMs: performance.now() - startedAt }),
);
let cpuAtStart = process.cpuUsage();
let profiler;

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.measure === true) {
    profiler = new Session();
    profiler.connect();
    await profiler.post('Profiler.enable');
    await profiler.post('Profiler.start');
    cpuAtStart = process.cpuUsage();
    console.log(JSON.stringify({ measuring: true }));
    continue;
  }
  const { registrationId, endorsementKey, storageRootKey } = request;
  await emulator.createTpmEnrollment({
    registrationId,
    endorsementKey: Buffer.from(endorsementKey, 'base64'),
    storageRootKey: Buffer.from(storageRootKey, 'base64'),
  });
  console.log(JSON.stringify({ enrolled: registrationId }));
}
const { user, system } = process.cpuUsage(cpuAtStart);
const profile = (await profiler?.post('Profiler.stop'))?.profile;
await emulator.stop();
const { maxRSS: maxRssKiB } = process.resourceUsage();
console.log(JSON.stringify({ cpuMs: (user + system) / 1000, maxRssKiB, profile }));
