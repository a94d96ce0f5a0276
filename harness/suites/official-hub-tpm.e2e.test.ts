/** The official Azure IoT SDK for devices, unmodified, talks to its hub with tokens that our TPM client signs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provisionDevice, startEmulator, startTpmSimulator } from '@endorse/harness';
import { expect, test } from 'vitest';
import { runActor } from '../support/run-actor.ts';

test('the official hub client runs on a key in the TPM, through a renewal of its token', async () => {
  await using simulator = await startTpmSimulator();
  await using emulator = await startEmulator();
  const device = await provisionDevice({ emulator, simulator });
  await device.close();
  const directory = await mkdtemp(join(tmpdir(), 'endorse-official-hub-'));
  try {
    const caFile = join(directory, 'ca.pem');
    await writeFile(caFile, emulator.caPem);
    const run = await runActor('official-hub-tpm.mjs', {
      nodeArguments: ['--conditions=@endorse/source'],
      environment: {
        NODE_EXTRA_CA_CERTS: caFile,
        ENDORSE_TPM: simulator.address,
        ENDORSE_HUB: device.result.assignedHub,
        ENDORSE_DEVICE_ID: device.result.deviceId,
        ENDORSE_TOKEN_LIFE_MS: '4000',
      },
    });
    expect(run.lines, run.errors).toEqual([{ tokens: 2 }]);
    const texts = emulator.telemetry.map(({ body }) => Buffer.from(body).toString());
    expect(texts).toEqual(['first', 'second']);
  } finally {
    await rm(directory, { recursive: true });
  }
  expect(await simulator.readSnapshot()).toMatchObject({ transient: [], loadedSessions: [] });
});
