/**
 * An emulator for load from other processes. Environment: ENDORSE_CA_DIR, ENDORSE_DEVICES (how many symmetric-key
 * devices to enroll, `device-0` on, all with the key of 32 sevens), ENDORSE_DATA_DIR to keep everything there.
 *
 * Prints one JSON line when it is ready, and one for each line on standard input: what it has used since the line before.
 * The end of the input stops it.
 */
import { createInterface } from 'node:readline';

const importedAt = performance.now();
const { startEmulator } = await import('@endorse/emulator');
const startedAt = performance.now();
const {
  ENDORSE_CA_DIR: caDirectory,
  ENDORSE_DATA_DIR: dataDirectory,
  ENDORSE_DEVICES: devices,
} = process.env;
const emulator = await startEmulator({
  caDirectory,
  ...(dataDirectory === undefined ? {} : { dataDirectory }),
});
const startMs = performance.now() - startedAt;
const { rss } = process.memoryUsage();
const key = Buffer.alloc(32, 7);
for (let index = 0; index < Number(devices ?? 0); index += 1) {
  await emulator.createSymmetricKeyEnrollment({
    registrationId: `device-${index}`,
    primaryKey: key,
    secondaryKey: key,
  });
}
const { idScope, provisioningHost, endpoints, caFile } = emulator;
console.log(
  JSON.stringify({
    idScope,
    provisioningHost,
    amqp: new URL(endpoints.amqp).host,
    mqtt: new URL(endpoints.mqtt).host,
    caFile,
    serviceConnectionString: emulator.serviceConnectionString.revealText(),
    importMs: startedAt - importedAt,
    startMs,
    rssMiB: rss / 2 ** 20,
  }),
);
let before = process.cpuUsage();
for await (const _line of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage(before);
  before = process.cpuUsage();
  console.log(JSON.stringify({ cpuMs: (user + system) / 1000, rssMiB: process.memoryUsage().rss / 2 ** 20 }));
}
await emulator.stop();
