/**
 * The provisioning service over MQTT, on a link in memory. Topics, user names and their variants are those of the
 * service's MQTT guide and of the official clients named beside them.
 */
import { Secret } from '@endorse/interface';
import type { EmulatorCoreOptions } from '@endorse/emulator/core';
import type { IPublishPacket } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { createProvisioningMqttService } from '../src/mqtt/provisioning-mqtt.ts';
import { coreFixture, seededRandom } from './support/core-fixture.ts';
import type { RawMqttClient } from './support/mqtt-client.ts';
import { connectPacket, linkMqtt } from './support/mqtt-client.ts';
import { matching } from './support/matchers.ts';
import { deviceToken } from './support/software-tpm.ts';

const key = Buffer.alloc(64, 1);
const registrationId = 'key-device';

function mqttFixture(options: Partial<EmulatorCoreOptions> = {}) {
  const fixture = coreFixture(options);
  const { core, clock } = fixture;
  const keys = { primaryKey: Secret.fromBytes(key), secondaryKey: Secret.fromBytes(Buffer.alloc(64, 2)) };
  core.createSymmetricKeyEnrollment({ registrationId, ...keys });
  const service = createProvisioningMqttService({
    core,
    stamps: { clock, random: seededRandom('mqtt') },
    sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
  });
  const token = (id = registrationId, lifetimeMs = 60_000): Promise<string> =>
    deviceToken({ idScope: core.idScope, registrationId: id, key, expiresAt: clock.now() + lifetimeMs });
  const userName = `${core.idScope}/registrations/${registrationId}/api-version=2019-03-31&ClientVersion=test`;
  return {
    ...fixture,
    token,
    userName,
    /** Sends CONNECT and gives the return code. */
    connect: async (change: { clientId?: string; userName?: string; password?: string } = {}) => {
      const client = linkMqtt(service);
      const { clientId = registrationId, password = await token() } = change;
      client.send(connectPacket(clientId, change.userName ?? userName, password));
      const answer = await client.next();
      return { client, code: answer === 'closed' ? answer : (answer as { returnCode?: number }).returnCode };
    },
  };
}

const publish = { cmd: 'publish', dup: false, retain: false } as const;

async function subscribed(client: RawMqttClient): Promise<RawMqttClient> {
  const subscriptions = [{ topic: '$dps/registrations/res/#', qos: 1 }] as const;
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [...subscriptions] });
  expect(await client.next()).toMatchObject({ cmd: 'suback', granted: [1] });
  return client;
}

/** Publishes at QoS 1 and gives the answer's topic and body. */
async function ask(client: RawMqttClient, topic: string, payload: string) {
  client.send({ ...publish, topic, payload, qos: 1, messageId: 5 });
  expect(await client.next()).toMatchObject({ cmd: 'puback', messageId: 5 });
  const answer = (await client.next()) as IPublishPacket;
  client.send({ cmd: 'puback', messageId: answer.messageId ?? 0 });
  return { topic: answer.topic, body: JSON.parse(String(answer.payload)) as Record<string, unknown> };
}

const registerTopic = (rid: string): string => `$dps/registrations/PUT/iotdps-register/?$rid=${rid}`;
const queryTopic = (rid: string, operationId: string): string =>
  `$dps/registrations/GET/iotdps-get-operationstatus/?$rid=${rid}&operationId=${operationId}`;

test.each([
  ['as Node sends it', `{"registrationId":"${registrationId}"}`, ' ', 'b1e02da8-1a43-4d1e-9b3c-2f5b6a7c8d9e'],
  ['as C# sends it', '', '', '1'],
  ['as C sends it', `{"registrationId":"${registrationId}"}`, `{"registrationId":"${registrationId}"}`, '7'],
])('a device registers, body %s', async (_title, registerBody, queryBody, rid) => {
  const { core, connect } = mqttFixture({
    retryAfterSeconds: 3,
    hubs: [{ name: 'hub', hostName: 'localhost:8443' }],
  });
  const { client, code } = await connect();
  expect(code).toBe(0);
  await subscribed(client);
  const registered = await ask(client, registerTopic(rid), registerBody);
  expect(registered.topic).toBe(`$dps/registrations/res/202/?$rid=${rid}&retry-after=3`);
  expect(registered.body).toMatchObject({ status: 'assigning' });
  const { operationId } = registered.body as { operationId: string };
  const settled = await ask(client, queryTopic('2', operationId), queryBody);
  expect(settled.topic).toBe('$dps/registrations/res/200/?$rid=2');
  expect(settled.body).toMatchObject({
    status: 'assigned',
    registrationState: { registrationId, assignedHub: 'localhost:8443', deviceId: registrationId },
  });
  expect(core.hubs[0]?.listDevices()).toMatchObject([{ deviceId: registrationId }]);
});

test('while the operation runs, a poll is 202 with the registration id', async () => {
  const { connect } = mqttFixture({ assigningDurationMs: 1000 });
  const client = await subscribed((await connect()).client);
  const { operationId } = (await ask(client, registerTopic('1'), '')).body as { operationId: string };
  const polled = await ask(client, queryTopic('2', operationId), '');
  expect(polled.topic).toBe('$dps/registrations/res/202/?$rid=2&retry-after=0');
  expect(polled.body).toMatchObject({ registrationState: { registrationId, status: 'assigning' } });
});

test.each<readonly [string, string, string, number, number]>([
  ['a body that is no JSON', registerTopic('1'), '{', 400, 400_004],
  ['a body for another device', registerTopic('1'), '{"registrationId":"other"}', 400, 400_004],
  ['the keys of a TPM', registerTopic('1'), '{"tpm":{"endorsementKey":"AAQAAQID"}}', 400, 400_004],
  ['an unknown operation', queryTopic('1', '5.unknown'), '', 404, 404_202],
])('%s is answered with an error', async (_title, topic, body, status, errorCode) => {
  const { connect } = mqttFixture();
  const client = await subscribed((await connect()).client);
  const answer = await ask(client, topic, body);
  expect(answer.topic).toMatch(new RegExp(`^\\$dps/registrations/res/${status}/\\?\\$rid=1`));
  expect(answer.body).toMatchObject({ errorCode, trackingId: matching(/-/), message: matching(/./) });
});

test('an answer to nobody who listens is not sent, the operation starts all the same', async () => {
  const { connect, events } = mqttFixture();
  const { client } = await connect();
  client.send({ ...publish, topic: registerTopic('1'), payload: '', qos: 0 });
  client.send({ cmd: 'pingreq' });
  expect(await client.next()).toMatchObject({ cmd: 'pingresp' });
  expect(events.at(-1)).toMatchObject({ event: 'registration-started' });
});

test.each([
  ['another client identifier', { clientId: 'other' }, 2],
  ['no user name', { userName: '' }, 4],
  ['the user name of a hub', { userName: 'localhost/key-device/?api-version=2021-04-12' }, 4],
  ['no password', { password: '' }, 5],
  ['a password that is no token', { password: 'secret' }, 5],
])('CONNECT with %s is refused', async (_title, change, code) => {
  const { connect, events } = mqttFixture();
  const answer = await connect(change);
  expect(answer.code).toBe(code);
  expect(await answer.client.next()).toBe('closed');
  expect(events.at(-1)).toMatchObject({ event: 'request-refused' });
});

test('the registration id is compared without regard to case', async () => {
  const { connect } = mqttFixture();
  expect((await connect({ clientId: 'KEY-Device' })).code).toBe(0);
});

test.each([
  ['another scope', (name: string) => name.replace('0ne00000000', '0ne0000000F')],
  ['an unknown device', (name: string) => name.replace('key-device', 'nobody')],
])('CONNECT for %s is refused', async (_title, change) => {
  const { connect, userName } = mqttFixture();
  const named = change(userName);
  const clientId = named.includes('nobody') ? 'nobody' : registrationId;
  expect((await connect({ userName: named, clientId })).code).toBe(5);
});

test('an expired token is refused in CONNECT, and one that expires later in the request', async () => {
  const { connect, token, clock } = mqttFixture();
  expect((await connect({ password: await token(registrationId, 0) })).code).toBe(5);
  const { client } = await connect({ password: await token(registrationId, 1000) });
  await subscribed(client);
  await clock.advance(1000);
  expect(await ask(client, registerTopic('1'), '')).toMatchObject({ body: { errorCode: 401_002 } });
});

test('a device with a TPM is refused, even with a good token, as the service offers it elsewhere only', async () => {
  const { core, connect, solveChallenge, events } = mqttFixture();
  const answer = await connect({
    clientId: 'device-1',
    userName: `${core.idScope}/registrations/device-1/api-version=2019-03-31`,
    password: await solveChallenge(),
  });
  expect(answer.code).toBe(5);
  expect(events.at(-1)).toMatchObject({
    errorCode: 401_002,
    reason: matching(/TPM .* not offered over MQTT/),
  });
});

test.each([
  ['a topic of the hub', 'devices/key-device/messages/events/'],
  ['an answer', '$dps/registrations/res/200/?$rid=1'],
  ['a request without its id', '$dps/registrations/PUT/iotdps-register/'],
])('publishing to %s costs the connection', async (_title, topic) => {
  const { connect, events } = mqttFixture();
  const client = await subscribed((await connect()).client);
  client.send({ ...publish, topic, payload: '', qos: 0 });
  expect(await client.next()).toBe('closed');
  expect(events.at(-1)).toMatchObject({ event: 'request-refused', operation: 'publish' });
});

test('a store that fails is a 500 that says so, and not the end of the process', async () => {
  const { core, connect } = mqttFixture({ onEvent: () => undefined });
  const client = await subscribed((await connect()).client);
  const failing = Object.assign(core, {
    answerDevice: () => {
      throw new Error('disk full');
    },
  });
  expect(failing).toBe(core);
  expect(await ask(client, registerTopic('1'), '')).toMatchObject({
    body: { errorCode: 500_000, info: { reason: 'Error: disk full' } },
  });
});

test('a fault script has its say: an error, a late answer, half an answer, a lost connection', async () => {
  const { core, connect, clock } = mqttFixture();
  core.faults.add({
    carrier: 'mqtt',
    count: 1,
    fault: { kind: 'status', status: 429, retryAfterSeconds: 4 },
  });
  const client = await subscribed((await connect()).client);
  const throttled = await ask(client, registerTopic('1'), '');
  expect(throttled.topic).toBe('$dps/registrations/res/429/?$rid=1&retry-after=4');
  expect(throttled.body).toMatchObject({ errorCode: 429_001 });

  core.faults.add({ carrier: 'mqtt', count: 1, fault: { kind: 'delay', delayMs: 50 } });
  const late = ask(client, registerTopic('2'), '');
  await expect.poll(() => clock.pendingSleeps).toBe(1);
  await clock.advance(50);
  expect((await late).body).toMatchObject({ status: 'assigning' });

  core.faults.add({ carrier: 'mqtt', count: 1, fault: { kind: 'truncate', keepBytes: 5 } });
  await expect(ask(client, registerTopic('3'), '')).rejects.toThrow(/JSON/);

  core.faults.add({ carrier: 'mqtt', count: 1, fault: { kind: 'drop', when: 'before-handling' } });
  client.send({ ...publish, topic: registerTopic('4'), payload: '', qos: 0 });
  expect(await client.next()).toBe('closed');
});
