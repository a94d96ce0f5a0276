/** A hub over MQTT, on a link in memory. Topics and rules are those of the hub's MQTT guide. */
import { createHash } from 'node:crypto';
import type { IPublishPacket } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { createHubMqttService } from '../src/mqtt/hub-mqtt.ts';
import { coreFixture } from './support/core-fixture.ts';
import type { RawMqttClient } from './support/mqtt-client.ts';
import { connectPacket, linkMqtt } from './support/mqtt-client.ts';
import { matching } from './support/matchers.ts';
import { sas } from './support/software-tpm.ts';

const key = Buffer.alloc(32, 7);
const deviceId = 'Dev#1';
const userName = `localhost:8443/${deviceId}/?api-version=2021-04-12&DeviceClientType=test`;
const certificate = Buffer.from('the DER of a certificate');

function hubFixture() {
  const { core, clock, events } = coreFixture({ hubs: [{ name: 'hub', hostName: 'localhost:8443' }] });
  const [hub] = core.hubs;
  if (hub === undefined) throw new Error('no hub');
  hub.writeDevice({
    deviceId,
    keys: [key],
    thumbprints: [createHash('sha256').update(certificate).digest('hex').toUpperCase()],
  });
  const service = createHubMqttService(hub, 'mqtt', core);
  const token = (resource = `localhost:8443/devices/${deviceId}`, lifetimeMs = 60_000): Promise<string> =>
    sas({ resource, key, expiresAt: clock.now() + lifetimeMs });
  const open = async (
    change: {
      clientId?: string;
      userName?: string;
      password?: string;
      certificates?: readonly Uint8Array[];
    } = {},
  ) => {
    const { certificates } = change;
    const client = linkMqtt(service, certificates === undefined ? {} : { certificates });
    const { clientId = deviceId, password = await token() } = change;
    client.send(connectPacket(clientId, change.userName ?? userName, password));
    const answer = await client.next();
    return { client, code: answer === 'closed' ? answer : (answer as { returnCode?: number }).returnCode };
  };
  return { core, hub, clock, events, token, open };
}

const publish = { cmd: 'publish', dup: false, retain: false, qos: 0 } as const;
const telemetryTopic = 'devices/Dev%231/messages/events/';

async function subscribe(client: RawMqttClient, ...topics: readonly string[]): Promise<void> {
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: topics.map((topic) => ({ topic, qos: 0 })) });
  expect(await client.next()).toMatchObject({ cmd: 'suback', granted: topics.map(() => 0) });
}

async function nextMessage(client: RawMqttClient): Promise<{ topic: string; body: string }> {
  const packet = await client.next();
  expect(packet).toMatchObject({ cmd: 'publish' });
  const { topic, payload } = packet as IPublishPacket;
  return { topic, body: String(payload) };
}

/** Everything sent before has been taken in once this comes back. */
async function settled(client: RawMqttClient): Promise<void> {
  client.send({ cmd: 'pingreq' });
  expect(await client.next()).toMatchObject({ cmd: 'pingresp' });
}

test('telemetry arrives with its properties', async () => {
  const { core, hub, open } = hubFixture();
  const { client, code } = await open();
  expect(code).toBe(0);
  expect(hub.listConnected()).toMatchObject([{ deviceId, connection: { carrier: 'mqtt' } }]);
  const topic = `${telemetryTopic}$.ct=application%2Fjson&$.mid=7&level=high%20`;
  client.send({ ...publish, topic, payload: '{"t":21}', qos: 1, messageId: 3 });
  expect(await client.next()).toMatchObject({ cmd: 'puback', messageId: 3 });
  expect(core.telemetry).toMatchObject([
    { deviceId, contentType: 'application/json', properties: { level: 'high ' } },
  ]);
  expect(Buffer.from(core.telemetry[0]?.body ?? []).toString()).toBe('{"t":21}');
  client.send({ cmd: 'disconnect' });
  expect(await client.next()).toBe('closed');
  await expect.poll(() => hub.listConnected()).toEqual([]);
});

test('a client certificate opens the hub without a password, in the name of its device only', async () => {
  const { open } = hubFixture();
  expect((await open({ password: '', certificates: [certificate] })).code).toBe(0);
  expect((await open({ password: '', certificates: [Buffer.from('another')] })).code).toBe(5);
  expect((await open({ password: '' })).code).toBe(5);
});

test('the twin is read, and reported properties are written', async () => {
  const { hub, open } = hubFixture();
  hub.patchTwin(deviceId, 'desired', { interval: 5 });
  const { client } = await open();
  await subscribe(client, '$iothub/twin/res/#');
  client.send({ ...publish, topic: '$iothub/twin/GET/?$rid=1', payload: '' });
  expect(await nextMessage(client)).toEqual({
    topic: '$iothub/twin/res/200/?$rid=1',
    body: '{"desired":{"interval":5,"$version":2},"reported":{"$version":1}}',
  });
  client.send({
    ...publish,
    topic: '$iothub/twin/PATCH/properties/reported/?$rid=2',
    payload: '{"battery":55}',
  });
  expect(await nextMessage(client)).toEqual({ topic: '$iothub/twin/res/204/?$rid=2&$version=2', body: '' });
  expect(hub.readTwin(deviceId)?.reported.properties).toEqual({ battery: 55 });
});

test.each([
  ['no JSON', '{', 400],
  ['no object', '[1]', 400],
  ['a name that is not allowed', '{"$version":1}', 400],
  [
    'more than 32 KiB',
    JSON.stringify(Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`k${at}`, 'x'.repeat(1000)]))),
    413,
  ],
])('reported properties with %s are refused with a status', async (_title, payload, status) => {
  const { open, events } = hubFixture();
  const { client } = await open();
  await subscribe(client, '$iothub/twin/res/#');
  client.send({ ...publish, topic: '$iothub/twin/PATCH/properties/reported/?$rid=1', payload });
  expect(await nextMessage(client)).toEqual({
    topic: `$iothub/twin/res/${status}/?$rid=1`,
    body: matching(/errorCode/),
  });
  expect(events.at(-1)).toMatchObject({ event: 'request-refused', operation: 'patch-reported', status });
});

test('a device that subscribed is told of desired properties, and a method is run and answered', async () => {
  const { hub, open } = hubFixture();
  const { client } = await open();
  await subscribe(client, '$iothub/twin/PATCH/properties/desired/#', '$iothub/methods/POST/#');
  hub.patchTwin(deviceId, 'desired', { interval: 6, old: null });
  expect(await nextMessage(client)).toEqual({
    topic: '$iothub/twin/PATCH/properties/desired/?$version=2',
    body: '{"interval":6,"old":null,"$version":2}',
  });
  const outcome = hub.invokeMethod(deviceId, { methodName: 'reboot', payload: { in: 5 } });
  expect(await nextMessage(client)).toEqual({
    topic: '$iothub/methods/POST/reboot/?$rid=1',
    body: '{"in":5}',
  });
  client.send({ ...publish, topic: '$iothub/methods/res/200/?$rid=1', payload: '{"done":true}' });
  expect(await outcome).toEqual({ outcome: 'answered', status: 200, payload: { done: true } });
});

test('an answer without a body is null, a late or broken one is let go', async () => {
  const { hub, open, clock, events } = hubFixture();
  const { client } = await open();
  await subscribe(client, '$iothub/methods/POST/#');
  const outcome = hub.invokeMethod(deviceId, { methodName: 'm', responseTimeoutMs: 10 });
  await nextMessage(client);
  client.send({ ...publish, topic: '$iothub/methods/res/200/?$rid=1', payload: '{' });
  await settled(client);
  expect(events.at(-1)).toMatchObject({ event: 'request-refused', operation: 'answer-method' });
  client.send({ ...publish, topic: '$iothub/methods/res/7/?$rid=1', payload: '' });
  expect(await outcome).toMatchObject({ status: 7, payload: null });
  client.send({ ...publish, topic: '$iothub/methods/res/200/?$rid=1', payload: '1' });
  await settled(client);
  expect(clock.pendingSleeps).toBe(1);
});

test('who unsubscribes takes no methods any more', async () => {
  const { hub, open } = hubFixture();
  const { client } = await open();
  await subscribe(client, '$iothub/methods/POST/#');
  client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['$iothub/methods/POST/#'] });
  expect(await client.next()).toMatchObject({ cmd: 'unsuback' });
  expect(await hub.invokeMethod(deviceId, { methodName: 'm' })).toMatchObject({
    fault: { code: 'DeviceNotOnline' },
  });
});

test('cloud-to-device messages may be subscribed to, the topics of others not', async () => {
  const { open } = hubFixture();
  const { client } = await open();
  const subscriptions = [
    'devices/Dev%231/messages/devicebound/#',
    'devices/Dev-2/messages/devicebound/#',
    '#',
  ];
  client.send({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: subscriptions.map((topic) => ({ topic, qos: 1 })),
  });
  expect(await client.next()).toMatchObject({ granted: [1, 0x80, 0x80] });
});

test.each([
  ['another client identifier', { clientId: 'Dev-2' }, 2],
  ['a client identifier in another case', { clientId: 'dev#1' }, 2],
  [
    'the user name of the provisioning service',
    { userName: 'scope/registrations/Dev-1/api-version=2019-03-31' },
    5,
  ],
  ['no user name', { userName: '' }, 4],
  ['another hub', { userName: `other.example/${deviceId}/?api-version=2021-04-12` }, 5],
  ['a module', { userName: `localhost/${deviceId}/mod/?api-version=2021-04-12` }, 5],
  ['a password that is no token', { password: 'secret' }, 5],
])('CONNECT with %s is refused', async (_title, change, code) => {
  const { open, hub } = hubFixture();
  const answer = await open(change);
  expect(answer.code).toBe(code);
  expect(await answer.client.next()).toBe('closed');
  expect(hub.listConnected()).toEqual([]);
});

test.each([
  ['the telemetry of another device', 'devices/Dev-2/messages/events/'],
  ['the telemetry of a module', 'devices/Dev%231/modules/m/messages/events/'],
  ['a topic of its own', 'my/topic'],
  ['a property bag that is none', `${telemetryTopic}a=%zz`],
])('publishing to %s costs the connection', async (_title, topic) => {
  const { core, open, hub } = hubFixture();
  const { client } = await open();
  client.send({ ...publish, topic, payload: '', qos: 1, messageId: 1 });
  expect(await client.next()).toBe('closed');
  expect(core.telemetry).toEqual([]);
  await expect.poll(() => hub.listConnected()).toEqual([]);
});

test('the hub ends a connection whose key was replaced, whose token expired, or that was taken over', async () => {
  const { hub, clock, token, open } = hubFixture();
  const first = await open();
  const second = await open({ password: await token(undefined, 1000) });
  expect(await first.client.next()).toBe('closed');
  await clock.advance(1000);
  expect(await second.client.next()).toBe('closed');
  const third = await open();
  hub.writeDevice({ deviceId, keys: [Buffer.alloc(32, 8)] });
  expect(await third.client.next()).toBe('closed');
  expect((await open()).code).toBe(5);
});

test.each([{ kind: 'status', status: 503 } as const, { kind: 'drop', when: 'after-handling' } as const])(
  'a fault script ends the connection in the place of an acknowledgement: $kind',
  async (fault) => {
    const { core, open } = hubFixture();
    core.faults.add({ carrier: 'mqtt', operation: 'send-event', count: 1, fault });
    const { client } = await open();
    client.send({ ...publish, topic: telemetryTopic, payload: 'x', qos: 1, messageId: 1 });
    expect(await client.next()).toBe('closed');
    expect(core.telemetry).toHaveLength(fault.kind === 'drop' ? 1 : 0);
  },
);
