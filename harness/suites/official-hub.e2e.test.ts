/** The official Azure IoT SDK for devices, unmodified, talks to the hub over MQTT with a shared key and with a certificate. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecurityClient } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { startEmulator } from '@endorse/emulator';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { createX509SecurityClient } from '@endorse/security-x509';
import { createTestAuthority } from '@endorse/testkit';
import { createMqttTransport } from '@endorse/transport-mqtt';
import { expect, test } from 'vitest';
import { actorPath, runActor } from '../support/run-actor.ts';

const registrationId = 'official-device';

test.each([
  ['mqtt', 'symmetric-key'],
  ['mqtt', 'x509'],
  ['mqtt-ws', 'symmetric-key'],
  ['mqtt-ws', 'x509'],
])('over %s with %s: telemetry, twin, method', async (carrier, attestation) => {
  await using emulator = await startEmulator();
  await using directory = await temporaryDirectory();
  const caFile = join(directory.path, 'ca.pem');
  await writeFile(caFile, emulator.caPem);
  const { securityClient, environment } = await enroll(attestation, emulator, directory.path);
  await register({
    provisioningHost: emulator.provisioningHost,
    idScope: emulator.idScope,
    transport: createMqttTransport({ ca: emulator.caPem, webSocket: carrier === 'mqtt-ws' }),
    securityClient,
    deadlineMs: 20_000,
  });

  const { port } = new URL(emulator.endpoints.hub);
  const running = runActor('official-hub.cjs', {
    nodeArguments: ['--require', actorPath('redirect-port.cjs')],
    environment: {
      NODE_EXTRA_CA_CERTS: caFile,
      ENDORSE_REDIRECT_443: port,
      ENDORSE_CARRIER: carrier,
      // Over WebSockets, it insists on port 443.
      ENDORSE_HUB: carrier === 'mqtt' ? emulator.assignedHub : 'localhost',
      ENDORSE_DEVICE_ID: registrationId,
      ...environment,
    },
  });
  const method = { methodName: 'reboot', payload: { inSeconds: 3 }, connectTimeoutMs: 20_000 };
  const answered = await Promise.race([
    emulator.hub.invokeMethod(registrationId, method),
    running.then(({ lines, errors }) => ({ lines, errors })),
  ]);
  expect(answered).toEqual({ status: 200, payload: { rebooting: true } });
  // It subscribes to desired properties before it reports, and misses what comes between that and reading its twin.
  const reported = async () => (await emulator.hub.readTwin(registrationId)).reported.properties;
  await expect.poll(reported).toEqual({ battery: 55 });
  await emulator.hub.patchDesired(registrationId, { intervalSeconds: 5 });

  const { lines, errors, exitCode } = await running;
  expect(lines, errors).toEqual([{ method: { inSeconds: 3 }, intervalSeconds: 5 }]);
  expect(exitCode).toBe(0);
  expect(emulator.telemetry).toMatchObject([
    { deviceId: registrationId, contentType: 'application/json', properties: { level: 'high' } },
  ]);
});

async function enroll(
  attestation: string,
  emulator: Awaited<ReturnType<typeof startEmulator>>,
  directory: string,
): Promise<{
  readonly securityClient: SecurityClient;
  readonly environment: Readonly<Record<string, string>>;
}> {
  if (attestation === 'symmetric-key') {
    const { primaryKey } = await emulator.createSymmetricKeyEnrollment({ registrationId });
    const key = Buffer.from(primaryKey.reveal()).toString('base64');
    return {
      securityClient: createSymmetricKeySecurityClient({ registrationId, key: primaryKey }),
      environment: { ENDORSE_SYMMETRIC_KEY: key },
    };
  }
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

async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'endorse-official-hub-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
