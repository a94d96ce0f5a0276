/**
 * MQTT over TLS and WebSockets: mqtt.js as the device. Listeners, certificates and the way to the hub; what the services
 * answer is tested on links in memory.
 */
import { createHmac } from 'node:crypto';
import type { Emulator } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import { createSasToken, hubDeviceResource, registrationResource } from '@endorse/protocol';
import type { IClientOptions, MqttClient } from 'mqtt';
import { connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import { issueDeviceCertificate } from './support/device-certificate.ts';

/** Where MQTT is spoken: the port of its own, and the one of HTTPS, plain or over WebSockets. */
const places: readonly (readonly [string, (emulator: Emulator) => string])[] = [
  ['its own port', ({ endpoints }) => endpoints.mqtt],
  ['the port of HTTPS', ({ provisioningHost }) => `mqtts://${provisioningHost}`],
  ['a WebSocket', ({ provisioningHost }) => `wss://${provisioningHost}/$iothub/websocket`],
];
const hubPlaces: readonly (readonly [string, (emulator: Emulator) => string])[] = [
  ['TLS', ({ assignedHub }) => `mqtts://${assignedHub}`],
  ['a WebSocket', ({ assignedHub }) => `wss://${assignedHub}/`],
];

interface Device {
  readonly registrationId: string;
  /** Signs a token, unless it has a certificate. */
  readonly key?: Uint8Array;
  readonly tls?: IClientOptions;
}

async function connectDevice(
  emulator: Emulator,
  url: string,
  { registrationId, key, tls }: Device,
  hub = false,
): Promise<MqttClient> {
  const resource = hub
    ? hubDeviceResource(emulator.assignedHub, registrationId)
    : registrationResource(emulator.idScope, registrationId);
  const password = key === undefined ? undefined : await token(resource, key, hub);
  return connectAsync(url, {
    ca: emulator.caPem,
    clientId: registrationId,
    username: hub
      ? `${emulator.assignedHub}/${registrationId}/?api-version=2021-04-12`
      : `${resource}/api-version=2019-03-31&ClientVersion=test`,
    ...(password === undefined ? {} : { password }),
    protocolVersion: 4,
    reconnectPeriod: 0,
    ...tls,
  });
}

async function token(resource: string, key: Uint8Array, hub: boolean): Promise<string> {
  const sign = async (data: Uint8Array) => Uint8Array.from(createHmac('sha256', key).update(data).digest());
  const keyName = hub ? {} : { keyName: 'registration' };
  return (await createSasToken({ resource, expiresAt: Date.now() + 60_000, ...keyName, sign })).revealText();
}

/** The body of the next message. */
function nextMessage(client: MqttClient): Promise<string> {
  return new Promise((resolve) => client.once('message', (_topic, payload) => resolve(String(payload))));
}

/** Registers and gives the final body. */
async function register(client: MqttClient): Promise<Record<string, unknown>> {
  await client.subscribeAsync('$dps/registrations/res/#', { qos: 1 });
  const ask = async (topic: string): Promise<Record<string, unknown>> => {
    const answer = nextMessage(client);
    await client.publishAsync(topic, '', { qos: 1 });
    return JSON.parse(await answer) as Record<string, unknown>;
  };
  const { operationId } = await ask('$dps/registrations/PUT/iotdps-register/?$rid=1');
  return ask(`$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId=${String(operationId)}`);
}

async function keyDevice(emulator: Emulator): Promise<Device> {
  const registrationId = 'key-device';
  const { primaryKey } = await emulator.createSymmetricKeyEnrollment({ registrationId });
  return { registrationId, key: primaryKey.reveal() };
}

async function x509Device(emulator: Emulator): Promise<Device> {
  const registrationId = 'x509-device';
  const { certificatePem: cert, privateKeyPem: key } = issueDeviceCertificate(registrationId);
  await emulator.createX509Enrollment({ registrationId, primaryCertificate: cert });
  return { registrationId, tls: { cert, key } };
}

test.each(places)('a device with a key registers over %s', async (_title, url) => {
  await using emulator = await startEmulator();
  const client = await connectDevice(emulator, url(emulator), await keyDevice(emulator));
  expect(await register(client)).toMatchObject({
    status: 'assigned',
    registrationState: { assignedHub: emulator.assignedHub, deviceId: 'key-device' },
  });
  await client.endAsync();
});

test.each(places)('a device with a certificate registers over %s', async (_title, url) => {
  await using emulator = await startEmulator();
  const client = await connectDevice(emulator, url(emulator), await x509Device(emulator));
  expect(await register(client)).toMatchObject({ status: 'assigned' });
  await client.endAsync();
});

test.each(hubPlaces)('a registered device talks to its hub over %s', async (_title, url) => {
  await using emulator = await startEmulator();
  for (const device of [await keyDevice(emulator), await x509Device(emulator)]) {
    const { registrationId: deviceId } = device;
    const registering = await connectDevice(emulator, emulator.endpoints.mqtt, device);
    await register(registering);
    await registering.endAsync();

    const client = await connectDevice(emulator, url(emulator), device, true);
    await client.publishAsync(`devices/${deviceId}/messages/events/a=b`, 'hello', { qos: 1 });
    expect(emulator.telemetry.at(-1)).toMatchObject({ deviceId, properties: { a: 'b' } });

    await client.subscribeAsync('$iothub/methods/POST/#');
    client.once('message', (topic) => {
      client.publish(`$iothub/methods/res/200/?${topic.split('?')[1] ?? ''}`, '"rebooting"');
    });
    expect(await emulator.hub.invokeMethod(deviceId, { methodName: 'reboot' })).toEqual({
      status: 200,
      payload: 'rebooting',
    });

    await client.subscribeAsync('$iothub/twin/PATCH/properties/desired/#');
    const told = nextMessage(client);
    const { desired } = await emulator.hub.patchDesired(deviceId, { interval: 5 });
    expect(await told).toBe(`{"interval":5,"$version":${desired.version}}`);
    expect(emulator.hub.connectedDevices).toMatchObject([{ deviceId }]);
    await client.endAsync();
    await expect.poll(() => emulator.hub.connectedDevices).toEqual([]);
  }
});

test('a device that is not known to the hub is refused with code 5', async () => {
  await using emulator = await startEmulator();
  const stranger = { registrationId: 'stranger', key: new Uint8Array(32) };
  await expect(
    connectDevice(emulator, `mqtts://${emulator.assignedHub}`, stranger, true),
  ).rejects.toMatchObject({
    code: 5,
  });
});

test('stopping ends every connection, and nobody waits for a method any more', async () => {
  const emulator = await startEmulator();
  const client = await connectDevice(emulator, emulator.endpoints.mqtt, await keyDevice(emulator));
  client.on('error', () => undefined);
  const closed = new Promise((resolve) => client.once('close', () => resolve(undefined)));
  await register(client);
  const method = emulator.hub.invokeMethod('key-device', { methodName: 'm', connectTimeoutMs: 300_000 });
  const refused = expect(method).rejects.toMatchObject({ code: 'ERR_EMULATOR_DEVICE_OFFLINE' });
  await emulator.stop();
  await refused;
  await closed;
  await client.endAsync(true);
});
