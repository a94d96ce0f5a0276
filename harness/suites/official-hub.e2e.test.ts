/**
 * The official Azure IoT SDK for devices, unmodified, talks to the hub with a shared key and with a certificate, over
 * the carrier it was provisioned over by ours: over AMQP it sends telemetry, over MQTT it has a twin and a method too.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecurityClient, Transport } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import type { Emulator } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { createX509SecurityClient } from '@endorse/security-x509';
import { createTestAuthority } from '@endorse/testkit';
import { createAmqpTransport } from '@endorse/transport-amqp';
import { createMqttTransport } from '@endorse/transport-mqtt';
import { expect, test } from 'vitest';
import type { ActorRun } from '../support/run-actor.ts';
import { actorPath, runActor } from '../support/run-actor.ts';

const registrationId = 'official-device';

interface Identity {
  readonly securityClient: SecurityClient;
  readonly environment: Readonly<Record<string, string>>;
}

const identities = [
  ['a key', enrollKey],
  ['a certificate', enrollCertificate],
] as const;
const cases = (carriers: readonly string[]) =>
  carriers.flatMap((carrier) => identities.map(([title, enroll]) => [carrier, title, enroll] as const));

test.each(cases(['mqtt', 'mqtt-ws']))(
  'over %s with %s: telemetry, twin, method',
  async (carrier, _title, enroll) => {
    await using device = await startDevice(carrier, enroll);
    const { emulator, running } = device;
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
    await expectTelemetry(device, { method: { inSeconds: 3 }, intervalSeconds: 5 });
  },
);

test.each(cases(['amqp', 'amqp-ws']))('over %s with %s: telemetry', async (carrier, _title, enroll) => {
  await using device = await startDevice(carrier, enroll);
  await expectTelemetry(device, {});
  expect(device.events).toContain('device-connected');
  await expect.poll(() => device.events.includes('device-disconnected')).toBe(true);
});

interface RunningDevice extends AsyncDisposable {
  readonly emulator: Emulator;
  /** What the emulator told so far. */
  readonly events: readonly string[];
  readonly running: Promise<ActorRun>;
}

/** Provisions a device with ours and starts it with theirs. */
async function startDevice(
  carrier: string,
  enroll: (emulator: Emulator, directory: string) => Promise<Identity>,
): Promise<RunningDevice> {
  await using stack = new AsyncDisposableStack();
  const events: string[] = [];
  const emulator = stack.use(await startEmulator({ onEvent: ({ event }) => events.push(event) }));
  const directory = await mkdtemp(join(tmpdir(), 'endorse-official-hub-'));
  stack.defer(() => rm(directory, { recursive: true }));
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, emulator.caPem);
  const { securityClient, environment } = await enroll(emulator, directory);
  const webSocket = carrier.endsWith('-ws');
  const { assignedHub, deviceId } = await register({
    ...reach(emulator, carrier, webSocket),
    idScope: emulator.idScope,
    securityClient,
    deadlineMs: 30_000,
  });
  const running = runActor('official-hub.cjs', {
    nodeArguments: ['--require', actorPath('redirect-port.cjs')],
    environment: {
      NODE_EXTRA_CA_CERTS: caFile,
      ENDORSE_REDIRECT_443: new URL(emulator.endpoints.hub).port,
      ENDORSE_CARRIER: carrier,
      // Over WebSockets, it insists on port 443.
      ENDORSE_HUB: webSocket ? 'localhost' : assignedHub,
      ENDORSE_DEVICE_ID: deviceId,
      ...environment,
    },
  });
  const owned = stack.move();
  return { emulator, events, running, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function reach(
  { caPem: ca, provisioningHost, endpoints }: Emulator,
  carrier: string,
  webSocket: boolean,
): { readonly transport: Transport; readonly provisioningHost: string } {
  const isMqtt = carrier.startsWith('mqtt');
  return {
    transport: isMqtt ? createMqttTransport({ ca, webSocket }) : createAmqpTransport({ ca, webSocket }),
    provisioningHost: webSocket ? provisioningHost : new URL(isMqtt ? endpoints.mqtt : endpoints.amqp).host,
  };
}

async function expectTelemetry({ emulator, running }: RunningDevice, seen: object): Promise<void> {
  const { lines, errors, exitCode } = await running;
  expect(lines, errors).toEqual([{ sent: 2, ...seen }]);
  expect(exitCode).toBe(0);
  expect(emulator.telemetry).toMatchObject(
    ['low', 'high'].map((level) => ({
      deviceId: registrationId,
      contentType: 'application/json',
      properties: { level },
    })),
  );
}

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
