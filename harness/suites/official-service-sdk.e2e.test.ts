/**
 * The official service SDK for Node.js, unmodified, against our emulator. It insists on port 443 and on the
 * process-wide trust store, hence the preload and NODE_EXTRA_CA_CERTS.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulator } from '@endorse/emulator';
import { Secret } from '@endorse/interface';
import { deriveGroupDeviceKey } from '@endorse/protocol';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { generateSoftwareTpmKeys } from '@endorse/testkit';
import { createHttpTransport } from '@endorse/transport-http';
import { expect, test } from 'vitest';
import { actorPath, runActor } from '../support/run-actor.ts';

test('the official service SDK does all it can do, and is refused where the service refuses', async () => {
  await using resources = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'endorse-service-sdk-'));
  resources.defer(() => rm(directory, { recursive: true }));
  const emulator = resources.use(await startEmulator({ caDirectory: directory }));
  const { endorsementKey } = await generateSoftwareTpmKeys();
  const group = await emulator.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'plant' });
  const registered = 'member-1';
  const key = Secret.fromBytes(deriveGroupDeviceKey(group.primaryKey.reveal(), registered));
  const device = resources.use(createSymmetricKeySecurityClient({ registrationId: registered, key }));
  const transport = createHttpTransport({ ca: emulator.caPem });
  const { provisioningHost, idScope } = emulator;
  await register({ provisioningHost, idScope, transport, securityClient: device, deadlineMs: 20_000 });

  const [, policy = ''] = emulator.serviceConnectionString.revealText().split(/(?=;SharedAccessKeyName)/);
  const run = await runActor('official-service-client.cjs', {
    nodeArguments: ['--require', actorPath('redirect-port.cjs')],
    environment: {
      NODE_EXTRA_CA_CERTS: emulator.caFile ?? '',
      ENDORSE_REDIRECT_443: new URL(emulator.endpoints.service).port,
      ENDORSE_CONNECTION_STRING: `HostName=localhost${policy}`,
      ENDORSE_ENDORSEMENT_KEY: Buffer.from(endorsementKey).toString('base64'),
      ENDORSE_REGISTERED: registered,
      ENDORSE_GROUP: 'plant',
    },
  });
  expect(run.errors).toBe('');
  expect(run.exitCode).toBe(0);
  const outcomes = Object.fromEntries(run.lines.map(({ step, ...outcome }) => [String(step), outcome]));
  const etag: unknown = expect.stringMatching(/^".*"$/);
  const tpm = { type: 'tpm', tpm: { endorsementKey: Buffer.from(endorsementKey).toString('base64') } };
  expect(outcomes).toMatchObject({
    create: { value: { registrationId: 'sdk-1', deviceId: 'sensor', attestation: tpm, etag } },
    'create again': { statusCode: 409, errorCode: 409_000 },
    'update with etag': { value: { provisioningStatus: 'disabled', deviceId: 'sensor', etag } },
    'update with a stale etag': { statusCode: 412, errorCode: 412_000 },
    get: { value: { registrationId: 'sdk-1', provisioningStatus: 'disabled' } },
    'attestation mechanism': { value: tpm },
    'bulk create': {
      value: { isSuccessful: false, errors: [{ registrationId: 'sdk-1', errorCode: 409_000 }] },
    },
    query: {
      value: [[{ registrationId: 'sdk-1' }, { registrationId: 'sdk-2' }], [{ registrationId: 'sdk-3' }]],
    },
    'query that is wrong': { statusCode: 400, errorCode: 400_004 },
    'bulk delete': { value: { isSuccessful: true, errors: [] } },
    'delete with a stale etag': { statusCode: 412, errorCode: 412_000 },
    delete: { value: null },
    'get what is gone': { statusCode: 404, errorCode: 404_201 },
    'create group': { value: { enrollmentGroupId: 'sdk-group', etag } },
    'update group': { value: { provisioningStatus: 'disabled' } },
    'get group': { value: { enrollmentGroupId: 'sdk-group', attestation: { type: 'symmetricKey' } } },
    'group attestation mechanism': {
      value: {
        type: 'symmetricKey',
        symmetricKey: { primaryKey: expect.stringMatching(/^.{88}$/) as unknown },
      },
    },
    'query groups': { value: [[{ enrollmentGroupId: 'plant' }], [{ enrollmentGroupId: 'sdk-group' }]] },
    'delete group': { value: null },
    'get group that is gone': { statusCode: 404, errorCode: 404_204 },
    registration: { value: { registrationId: registered, status: 'assigned', deviceId: registered } },
    'registrations of a group': { value: [[{ registrationId: registered, status: 'assigned' }]] },
    'delete registration': { value: null },
    'registration that is gone': { statusCode: 404, errorCode: expect.any(Number) as unknown },
  });
});
