/**
 * The pump-driven client against the emulated service over HTTPS, with real TPMs: both dialects, success and every way
 * in which it can end otherwise. Whatever happens: one result, the TPM holds what it held before, no socket is left.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmulatorOptions } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type {
  NonceDecryptingSecurityClient,
  SecurityClient,
  Transport,
  TpmSecurityClient,
} from '@endorse/interface';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { createHubTokenProvider, createTpmSecurityClient } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { createMqttTransport } from '@endorse/transport-mqtt';
import { ProvisioningClient } from '@endorse/provisioning-client';
import { describe, expect, test } from 'vitest';
import { carriers } from '../demo/carriers.ts';
import { sendTelemetry } from '../support/telemetry.ts';
import type { DeviceFixture } from './device-fixture.ts';
import { openSockets, startDevice } from './device-fixture.ts';
import { dialects, loopClient } from './pump-fixture.ts';

/** Sends one message with a token that the TPM signs; 204 when the hub takes it. */
async function talkToHub(
  { emulator, registrationId }: DeviceFixture,
  tpm: TpmSecurityClient,
): Promise<number> {
  const hub = { hubHost: emulator.assignedHub, deviceId: registrationId };
  return sendTelemetry({
    assignedHub: emulator.assignedHub,
    deviceId: registrationId,
    credentials: { tokens: createHubTokenProvider({ securityClient: tpm, ...hub }) },
    message: { temperatureCelsius: 21.5 },
    caPem: emulator.caPem,
    signal: AbortSignal.timeout(10_000),
  });
}

const steps = [
  'REGISTER_SEND',
  'REGISTER_SENT',
  'REGISTER_RECV',
  'CONFIRM_SEND',
  'CONFIRM_SENT',
  'CONFIRM_RECV',
];
const progress = ['URL_REQ_SEND', 'URL_REQ_SENT', 'URL_REQ_RECV'];

test.each([
  ['drs', 'encrypted-data'],
  ['drs', 'credential'],
  ['dps', undefined],
] as const)(
  '%s (nonce: %s): a TPM registers and talks to its hub, and nothing is left behind',
  async (dialect, drsNonceForm) => {
    await using device = await startDevice(drsNonceForm === undefined ? {} : { drsNonceForm });
    const held = await device.heldBesideIdentityKey();
    const sockets = openSockets();
    {
      await using tpm = await device.openTpm();
      using loop = await loopClient(device, tpm, { dialect });
      const { emulator, registrationId } = device;
      expect(await loop.run()).toBe(`OK ${emulator.assignedHub} ${registrationId}`);
      expect(loop.told.slice(0, -1)).toEqual(['CONNECTED', 'REGISTERING', 'ASSIGNING', 'ASSIGNED']);
      expect(loop.states).toEqual([...steps, ...progress, 'READY']);
      expect(await talkToHub(device, tpm)).toBe(204);
      expect(loop.log.join('\n')).not.toMatch(/SharedAccessSignature|"nonce"|authorization/i);
    }
    expect(await device.heldBesideIdentityKey()).toEqual(held);
    await expect.poll(openSockets).toBe(sockets);
  },
);

describe.each(dialects)('%s', (dialect) => {
  test('it registers again on the same client, and joins what takes long', async () => {
    await using device = await startDevice({ assigningDurationMs: 300 });
    await using tpm = await device.openTpm();
    using loop = await loopClient(device, tpm, { dialect });
    expect(await loop.run()).toMatch(/^OK /);
    expect(loop.states.filter((state) => state === 'URL_REQ_SENT').length).toBeGreaterThan(1);
    expect(await loop.run()).toMatch(/^OK /);
    expect(await talkToHub(device, tpm)).toBe(204);
  });

  test('another TPM is refused: by the service with its own key, by itself with a copied one', async () => {
    await using device = await startDevice();
    const { registrationId, endorsementKey, storageRootKey } = device;
    await using simulator = await startTpmSimulator();
    await using other = await createTpmSecurityClient({ tpm: simulator.address, registrationId });
    using honest = await loopClient(device, other, { dialect });
    expect(await honest.run()).toBe('TRANSPORT');
    expect(honest.lastError).toMatchObject({ serviceCode: 400_004, fault: 'service' });
    const impostor: NonceDecryptingSecurityClient = {
      specificationVersion: 'v1',
      kind: 'tpm',
      getRegistrationId: (options) => other.getRegistrationId(options),
      getEndorsementKey: async () => endorsementKey,
      getStorageRootKey: async () => storageRootKey,
      activateIdentityKey: (blob, options) => other.activateIdentityKey(blob, options),
      signWithIdentity: (data, options) => other.signWithIdentity(data, options),
      decryptNonce: (blob, options) => other.decryptNonce(blob, options),
    };
    using copied = await loopClient(device, impostor, { dialect });
    expect(await copied.run()).toBe('KEY_ERROR');
    expect(copied.states.at(-2)).toBe('ERROR');
    expect(copied.states).not.toContain('CONFIRM_SENT');
    expect(copied.lastError).toMatchObject({ fault: 'tpm', cause: { command: 'ActivateCredential' } });
  });

  test('a service that challenges for ever is given up after three answers', async () => {
    // What follows the challenge never succeeds, so that the client comes back for another one.
    const fault = { kind: 'status', status: dialect === 'drs' ? 503 : 401 } as const;
    await using device = await startDevice({
      faults: [{ operation: dialect === 'drs' ? 'drs-confirm' : 'register', fault }],
    });
    await using tpm = await device.openTpm();
    using loop = await loopClient(device, tpm, { dialect });
    expect(await loop.run()).toBe('DEV_AUTH_ERROR');
    expect(loop.states.filter((state) => state === 'CONFIRM_SENT')).toHaveLength(3);
    expect(loop.told).toEqual(['CONNECTED', 'REGISTERING', 'ERROR', 'DEV_AUTH_ERROR']);
  });

  test('a silent service ends in TIMEOUT, and the next registration works', async () => {
    const operation = dialect === 'drs' ? 'drs-register' : 'request-challenge';
    await using device = await startDevice({
      faults: [{ operation, count: 1, fault: { kind: 'delay', delayMs: 600_000 } }],
    });
    await using tpm = await device.openTpm();
    using loop = await loopClient(device, tpm, { dialect });
    loop.client.setOption('provisioning_timeout', 1);
    expect(await loop.run()).toBe('TIMEOUT');
    expect(loop.lastError?.cause).toMatchObject({ state: 'REGISTER_SENT', deadlineMs: 1000 });
    loop.client.setOption('provisioning_timeout', 20);
    expect(await loop.run()).toMatch(/^OK /);
  });

  test('a device that is not enrolled, and one whose enrollment is disabled', async () => {
    await using device = await startDevice();
    const { emulator, registrationId, endorsementKey, storageRootKey } = device;
    await using tpm = await device.openTpm();
    using loop = await loopClient(device, tpm, { dialect });
    loop.client.setOption('registration_id', 'somebody-else');
    expect(await loop.run()).toBe('TRANSPORT');
    expect(loop.lastError).toMatchObject({ serviceCode: 404_201 });
    loop.client.setOption('registration_id', registrationId);
    const enrollment = {
      registrationId,
      endorsementKey,
      storageRootKey,
      provisioningStatus: 'disabled',
    } as const;
    await emulator.createTpmEnrollment(enrollment);
    expect(await loop.run()).toBe('DEV_AUTH_ERROR');
  });

  test('destroyed at any state, it is silent at once and leaves nothing', async () => {
    await using device = await startDevice();
    const held = await device.heldBesideIdentityKey();
    const sockets = openSockets();
    for (const state of [...steps, ...progress]) {
      {
        await using tpm = await device.openTpm();
        using loop = await loopClient(device, tpm, { dialect });
        loop.register();
        await loop.turnUntil(() => loop.states.includes(state));
        loop.client.destroy();
        const told = [...loop.told];
        loop.client.doWork();
        expect(loop.told).toEqual(told);
      }
      expect(await device.heldBesideIdentityKey(), state).toEqual(held);
    }
    await expect.poll(openSockets).toBe(sockets);
  });
});

describe.each(dialects)('%s, when the service is restarted in the middle', (dialect) => {
  test('a device that notices nothing is assigned in the same run', async () => {
    await using stage = await startRestartable({ assigningDurationMs: 200 });
    await using tpm = await stage.device.openTpm();
    using loop = await loopClient(stage.device, tpm, { dialect, throttleMs: 50 });
    loop.register();
    await loop.turnUntil(() => loop.told.includes('ASSIGNING'));
    await stage.restart();
    await loop.turnUntil(() => loop.told.some(isResult));
    expect(loop.told.at(-1)).toMatch(/^OK /);
    expect(loop.told.filter((line) => line === 'ASSIGNING')).toHaveLength(1);
  });

  test('a device that asks meanwhile fails with TRANSPORT, and registers anew', async () => {
    await using stage = await startRestartable({ assigningDurationMs: 200 });
    await using tpm = await stage.device.openTpm();
    using loop = await loopClient(stage.device, tpm, { dialect, throttleMs: 50 });
    loop.register();
    await loop.turnUntil(() => loop.told.includes('ASSIGNING'));
    await stage.stop();
    await loop.turnUntil(() => loop.told.some(isResult));
    expect(loop.told.at(-1)).toBe('TRANSPORT');
    await stage.restart();
    expect(await loop.run()).toMatch(/^OK /);
  });

  test('a service that forgot the operation gets a fresh registration in the same run', async () => {
    await using stage = await startRestartable({ assigningDurationMs: 60_000 }, 'forgetful');
    await using tpm = await stage.device.openTpm();
    using loop = await loopClient(stage.device, tpm, { dialect, throttleMs: 50 });
    loop.register();
    await loop.turnUntil(() => loop.told.includes('ASSIGNING'));
    await stage.restart({ assigningDurationMs: 0 });
    await loop.turnUntil(() => loop.told.some(isResult));
    expect(loop.told.at(-1)).toMatch(/^OK /);
    expect(loop.states.filter((state) => state === 'REGISTER_SENT').length).toBeGreaterThan(1);
  });
});

test('two clients in one process do not mind each other', async () => {
  await using device = await startDevice();
  await using simulator = await startTpmSimulator();
  await using first = await device.openTpm();
  await using second = await createTpmSecurityClient({ tpm: simulator.address });
  await device.emulator.createTpmEnrollment({
    registrationId: await second.getRegistrationId(),
    endorsementKey: await second.getEndorsementKey(),
    storageRootKey: await second.getStorageRootKey(),
    deviceId: 'the-other-device',
  });
  using left = await loopClient(device, first, { dialect: 'drs' });
  using right = await loopClient(device, second, { dialect: 'dps' });
  left.register();
  right.register();
  await left.turnUntil(() => {
    right.client.doWork();
    return left.told.some(isResult) && right.told.some(isResult);
  });
  const { assignedHub } = device.emulator;
  expect([left.told.at(-1), right.told.at(-1)]).toEqual([
    `OK ${assignedHub} ${device.registrationId}`,
    `OK ${assignedHub} the-other-device`,
  ]);
});

test.each(Object.entries(carriers))(
  "today's protocol goes over any transport that carries a TPM, and says so of one that does not: %s",
  async (_name, carrier) => {
    await using device = await startDevice();
    const { emulator, registrationId } = device;
    await using tpm = await device.openTpm();
    const transport: Transport = carrier.createTransport({ ca: emulator.caPem });
    const { attestations } = transport.capabilities;
    const host = carrier.hostOf(emulator);
    const created = ProvisioningClient.create(host, emulator.idScope, transport, {
      securityClient: tpm,
      throttleMs: 20,
    });
    if (!attestations.includes('tpm')) {
      await expect(created).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_CAPABILITY', required: 'tpm' });
      return;
    }
    await using client = await created;
    const { iothubUri, deviceId } = await client.registerDevice({ signal: AbortSignal.timeout(20_000) });
    expect([iothubUri, deviceId]).toEqual([emulator.assignedHub, registrationId]);
    expect(await talkToHub(device, tpm)).toBe(204);
  },
);

test.each([false, true])(
  'a device with a key registers over MQTT, and is told why its TPM cannot (in a WebSocket: %s)',
  async (webSocket) => {
    await using device = await startDevice();
    const { emulator } = device;
    const { primaryKey } = await emulator.createSymmetricKeyEnrollment({ registrationId: 'key-device' });
    await using identity = createSymmetricKeySecurityClient({
      registrationId: 'key-device',
      key: primaryKey,
    });
    await using tpm = await device.openTpm();
    const transport = createMqttTransport({ ca: emulator.caPem, webSocket });
    const host = webSocket ? emulator.provisioningHost : new URL(emulator.endpoints.mqtt).host;
    const create = (securityClient: SecurityClient): Promise<ProvisioningClient> =>
      ProvisioningClient.create(host, emulator.idScope, transport, { securityClient, throttleMs: 20 });
    await expect(create(tpm)).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_CAPABILITY', required: 'tpm' });
    await using client = await create(identity);
    const { iothubUri, deviceId } = await client.registerDevice({ signal: AbortSignal.timeout(20_000) });
    expect([iothubUri, deviceId]).toEqual([emulator.assignedHub, 'key-device']);
  },
);

function isResult(line: string): boolean {
  return !['CONNECTED', 'REGISTERING', 'ASSIGNING', 'ASSIGNED', 'ERROR'].includes(line);
}

interface Restartable extends AsyncDisposable {
  readonly device: DeviceFixture;
  stop(): Promise<void>;
  /** Stops the service if it still runs, and starts it on the same port with the same CA. */
  restart(options?: EmulatorOptions): Promise<void>;
}

/** A device whose service can be restarted: one that keeps everything, or one that is `forgetful` and only enrolled the device again. */
async function startRestartable(
  options: EmulatorOptions,
  memory: 'faithful' | 'forgetful' = 'faithful',
): Promise<Restartable> {
  const folder = mkdtempSync(join(tmpdir(), 'endorse-restart-'));
  const kept = memory === 'faithful' ? { dataDirectory: folder } : { caDirectory: folder };
  const device = await startDevice({ ...options, ...kept });
  const { registrationId, endorsementKey, storageRootKey } = device;
  const { port } = new URL(device.emulator.endpoints.http);
  let running = device.emulator;
  return {
    device,
    stop: () => running.stop(),
    restart: async (changed = {}) => {
      await running.stop();
      running = await startEmulator({
        retryAfterSeconds: 0,
        ...options,
        ...changed,
        ...kept,
        httpPort: Number(port),
      });
      if (memory === 'forgetful') {
        await running.createTpmEnrollment({ registrationId, endorsementKey, storageRootKey });
      }
    },
    [Symbol.asyncDispose]: async () => {
      await running.stop();
      await device[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
