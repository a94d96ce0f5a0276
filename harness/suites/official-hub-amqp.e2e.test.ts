/**
 * A device that was provisioned over AMQP sends telemetry over AMQP, with the official SDK for devices, unmodified: its
 * token through CBS, or its certificate. It insists on port 443 for WebSockets, hence the preload.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Emulator } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type { SecurityClient } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { createX509SecurityClient } from '@endorse/security-x509';
import { createTestAuthority } from '@endorse/testkit';
import { createAmqpTransport } from '@endorse/transport-amqp';
import { expect, test } from 'vitest';
import { actorPath, runActor } from '../support/run-actor.ts';

const registrationId = 'official-device';

interface Identity {
  readonly securityClient: SecurityClient;
  readonly environment: Readonly<Record<string, string>>;
}

test.each([
  ['amqp', 'a key', enrollKey],
  ['amqp', 'a certificate', enrollCertificate],
  ['amqp-ws', 'a key', enrollKey],
  ['amqp-ws', 'a certificate', enrollCertificate],
])('telemetry gets to the hub over %s with %s', async (carrier, _title, enroll) => {
  await using resources = new AsyncDisposableStack();
  const events: string[] = [];
  const emulator = resources.use(await startEmulator({ onEvent: ({ event }) => events.push(event) }));
  const directory = await mkdtemp(join(tmpdir(), 'endorse-hub-'));
  resources.defer(() => rm(directory, { recursive: true }));
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, emulator.caPem);
  const { securityClient, environment } = await enroll(emulator, directory);
  const { assignedHub, deviceId } = await register({
    provisioningHost: new URL(emulator.endpoints.amqp).host,
    idScope: emulator.idScope,
    transport: createAmqpTransport({ ca: emulator.caPem }),
    securityClient,
    deadlineMs: 30_000,
  });

  const run = await runActor('official-hub-amqp.cjs', {
    nodeArguments: ['--require', actorPath('redirect-port.cjs')],
    environment: {
      NODE_EXTRA_CA_CERTS: caFile,
      ENDORSE_REDIRECT_443: new URL(emulator.endpoints.hub).port,
      ENDORSE_CARRIER: carrier,
      ENDORSE_HUB: carrier === 'amqp' ? assignedHub : 'localhost',
      ENDORSE_DEVICE_ID: deviceId,
      ...environment,
    },
  });
  expect(run.lines, run.errors).toEqual([{ sent: 2 }]);
  expect(emulator.telemetry).toMatchObject(
    ['low', 'high'].map((level) => ({
      deviceId,
      contentType: 'application/json',
      properties: { level },
    })),
  );
  expect(events).toContain('device-connected');
  await expect.poll(() => events.includes('device-disconnected')).toBe(true);
});

async function enrollKey(emulator: Emulator): Promise<Identity> {
  const { primaryKey } = await emulator.createSymmetricKeyEnrollment({ registrationId });
  return {
    securityClient: createSymmetricKeySecurityClient({ registrationId, key: primaryKey }),
    environment: { ENDORSE_SYMMETRIC_KEY: Buffer.from(primaryKey.reveal()).toString('base64') },
  };
}

async function enrollCertificate(emulator: Emulator, directory: string): Promise<Identity> {
  const { certificatePem, privateKeyPem } = createTestAuthority().issue({ commonName: registrationId });
  await emulator.createX509Enrollment({ registrationId, primaryCertificate: certificatePem });
  const files = { certificate: join(directory, 'device.pem'), key: join(directory, 'device-key.pem') };
  await writeFile(files.certificate, certificatePem);
  await writeFile(files.key, privateKeyPem);
  return {
    securityClient: createX509SecurityClient({
      certificatePem,
      privateKeyPem: Secret.fromText(privateKeyPem),
    }),
    environment: { ENDORSE_CERTIFICATE_FILE: files.certificate, ENDORSE_KEY_FILE: files.key },
  };
}
