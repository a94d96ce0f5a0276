/** The official Azure IoT SDK for Node.js, unmodified, on the same TPM as ours, one after the other. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { register } from '@endorse/registration-core';
import { createHttpTransport } from '@endorse/transport-http';
import { expect, test } from 'vitest';
import { officialEnvironment } from '../../support/official-environment.ts';
import { runActor } from '../../support/run-actor.ts';
import { openService } from '../../support/service/service-under-test.ts';
import { startTpmDevice } from '../device-fixture.ts';

test('the official SDK registers over HTTP with the TPM that our client enrolled, and ours after it', async () => {
  await using service = await openService();
  await using device = await startTpmDevice(service);
  const { registrationId } = device;
  await using resources = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'endorse-official-'));
  resources.defer(() => rm(directory, { recursive: true }));

  const { environment, nodeArguments } = await officialEnvironment(
    service,
    service.endpoints.http,
    directory,
  );
  const run = await runActor('official-http-tpm.cjs', {
    nodeArguments,
    environment: {
      ...environment,
      ENDORSE_TPM: device.simulator.address,
      ENDORSE_REGISTRATION_ID: registrationId,
      ENDORSE_ROUNDS: '2',
    },
  });
  expect(run.errors).not.toMatch(/error/i);
  const { assignedHub } = await service.readRegistration(registrationId);
  const assigned = { status: 'assigned', deviceId: registrationId, assignedHub };
  expect(run.lines).toMatchObject([assigned, assigned]);
  expect(run.exitCode).toBe(0);

  await using securityClient = await device.openTpm();
  await expect(
    register({
      provisioningHost: service.provisioningHost,
      idScope: service.idScope,
      transport: createHttpTransport({ ca: service.caPem }),
      securityClient,
      deadlineMs: 20_000,
    }),
  ).resolves.toMatchObject({ status: 'assigned', deviceId: registrationId, assignedHub });
});
