/**
 * A device that loses its power in the middle of an activation: run as a process of its own, it activates the given
 * blobs one after the other and kills itself after the given number of persistings of the last one.
 *
 *     node crashing-device.ts <address> <evictions> <blob, base64>...
 */
import { createTpmSecurityClient } from '@endorse/security-tpm';

const [address = '', evictions = '', ...blobs] = process.argv.slice(2);
let countdown = Number.POSITIVE_INFINITY;
const client = await createTpmSecurityClient({
  tpm: address,
  onTrace: ({ command, responseCode }) => {
    if (command !== 'EvictControl' || responseCode !== 0) return;
    countdown -= 1;
    if (countdown === 0) process.kill(process.pid, 'SIGKILL');
  },
});
for (const [index, blob] of blobs.entries()) {
  if (index === blobs.length - 1) countdown = Number(evictions);
  await client.activateIdentityKey(Uint8Array.from(Buffer.from(blob, 'base64')));
}
await client.close();
