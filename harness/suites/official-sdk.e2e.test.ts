/**
 * The official Azure IoT SDK for Node.js, unmodified, against our emulator, on the same TPM as ours.
 * It insists on port 443 and on the process-wide trust store, hence the preload and NODE_EXTRA_CA_CERTS.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulator } from '@endorse/emulator';
import { register } from '@endorse/registration-core';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { createHttpTransport } from '@endorse/transport-http';
import { expect, test } from 'vitest';
import { actorPath, runActor } from '../support/run-actor.ts';

test('the official SDK registers over HTTP with the TPM that our client enrolled, and ours after it', async () => {
  await using resources = new AsyncDisposableStack();
  const simulator = resources.use(await startTpmSimulator({ provisioned: true }));
  const emulator = resources.use(await startEmulator({ retryAfterSeconds: 0 }));
  const directory = await mkdtemp(join(tmpdir(), 'endorse-official-'));
  resources.defer(() => rm(directory, { recursive: true }));
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, emulator.caPem);

  const registrationId = await enroll(simulator.address, emulator);

  const run = await runActor('official-http-tpm.cjs', {
    nodeArguments: ['--require', actorPath('redirect-port.cjs')],
    environment: {
      NODE_EXTRA_CA_CERTS: caFile,
      ENDORSE_REDIRECT_443: new URL(emulator.endpoints.http).port,
      ENDORSE_HOST: 'localhost',
      ENDORSE_ID_SCOPE: emulator.idScope,
      ENDORSE_TPM: simulator.address,
      ENDORSE_ROUNDS: '2',
    },
  });
  expect(run.errors).not.toMatch(/error/i);
  expect(run.lines).toMatchObject([
    { status: 'assigned', deviceId: registrationId, assignedHub: emulator.assignedHub },
    { status: 'assigned', deviceId: registrationId, assignedHub: emulator.assignedHub },
  ]);
  expect(run.exitCode).toBe(0);

  const ours = resources.use(await createTpmSecurityClient({ tpm: simulator.address }));
  await expect(
    register({
      provisioningHost: emulator.provisioningHost,
      idScope: emulator.idScope,
      transport: createHttpTransport({ ca: emulator.caPem }),
      securityClient: ours,
      deadlineMs: 20_000,
    }),
  ).resolves.toMatchObject({ status: 'assigned', deviceId: registrationId });
});

async function enroll(tpm: string, emulator: Awaited<ReturnType<typeof startEmulator>>): Promise<string> {
  const client = await createTpmSecurityClient({ tpm });
  try {
    const registrationId = await client.getRegistrationId();
    await emulator.createTpmEnrollment({
      registrationId,
      endorsementKey: await client.getEndorsementKey(),
      storageRootKey: await client.getStorageRootKey(),
    });
    return registrationId;
  } finally {
    await client.close();
  }
}
