/**
 * What a service can do wrong, step by step: each ends in a typed error, in time, and without a socket left. The wire is
 * `mqtt-packet`; codes and their meaning are those of MQTT 3.1.1.
 */
import type { Secret } from '@endorse/interface';
import { Secret as SecretText } from '@endorse/interface';
import { startTlsPeer } from '@endorse/testkit';
import type { MqttTransportOptions } from '@endorse/transport-mqtt';
import type { IPublishPacket, Packet } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { openDevice, poll, register, registrationId, sasToken } from './support/device.ts';
import type { Script } from './support/scripted-service.ts';
import { answerTo, startService } from './support/scripted-service.ts';

/** Short, because some steps never come. */
/** Only the bound of the state it falls silent in is short: a busy machine must not strike another one. */
const boundsOf = (state: string): { handshakeTimeoutMs: number; replyTimeoutMs: number } =>
  state === 'awaiting-reply'
    ? { handshakeTimeoutMs: 20_000, replyTimeoutMs: 150 }
    : { handshakeTimeoutMs: 150, replyTimeoutMs: 20_000 };

async function outcomeOf(script: Script, options: MqttTransportOptions = {}): Promise<unknown> {
  await using service = await startService(script);
  await using session = openDevice(service, options);
  const outcome = await register(session).catch((error: unknown) => error);
  // An error answer leaves the connection for the next request.
  if ((outcome as { fault?: unknown }).fault !== 'service') await expect.poll(() => service.open).toBe(0);
  return outcome;
}

test('what is sent is what the official clients send', async () => {
  await using service = await startService();
  await using session = openDevice(service, { apiVersion: '2019-03-31', userAgent: 'agent/1' });
  expect(await register(session)).toMatchObject({
    operation: { operationId: '5.0.op', status: 'assigning' },
  });
  await poll(session);
  const [connect, subscribe, put, get] = service.packets.filter(({ cmd }) => cmd !== 'puback');
  expect(connect).toMatchObject({
    cmd: 'connect',
    protocolVersion: 4,
    clean: true,
    keepalive: 60,
    clientId: registrationId,
    username: `0ne1/registrations/${registrationId}/api-version=2019-03-31&ClientVersion=agent%2F1`,
    password: Buffer.from(sasToken.revealText()),
  });
  expect(subscribe).toMatchObject({ subscriptions: [{ topic: '$dps/registrations/res/#', qos: 1 }] });
  expect(put).toMatchObject({
    qos: 1,
    topic: expect.stringMatching(
      /^\$dps\/registrations\/PUT\/iotdps-register\/\?\$rid=[0-9a-f-]{36}$/,
    ) as unknown,
    payload: Buffer.from(`{"registrationId":"${registrationId}"}`),
  });
  expect(get).toMatchObject({
    topic: expect.stringMatching(
      /GET\/iotdps-get-operationstatus\/\?\$rid=[0-9a-f-]{36}&operationId=5\.0\.op$/,
    ) as unknown,
  });
  expect(service.connections).toBe(1);
  await session.close();
  await expect.poll(() => service.packets.at(-1)?.cmd).toBe('disconnect');
});

test('another token opens another connection, the same one does not', async () => {
  await using service = await startService();
  await using session = openDevice(service);
  await register(session);
  await poll(session, SecretText.fromText(sasToken.revealText()));
  expect(service.connections).toBe(1);
  const renewed: Secret = SecretText.fromText(`${sasToken.revealText()}1`);
  await poll(session, renewed);
  expect(service.connections).toBe(2);
});

test.each([
  [1, 'ERR_REMOTE_UNEXPECTED', false],
  [2, 'ERR_SERVICE_BAD_REQUEST', false],
  [3, 'ERR_SERVICE_UNAVAILABLE', true],
  [4, 'ERR_SERVICE_UNAUTHORIZED', false],
  [5, 'ERR_SERVICE_UNAUTHORIZED', false],
  [77, 'ERR_REMOTE_UNEXPECTED', false],
])('CONNACK with code %i is %s', async (returnCode, code, retryable) => {
  const outcome = await outcomeOf({
    connect: (_packet, { send }) => send(Uint8Array.of(0x20, 2, 0, returnCode)),
  });
  expect(outcome).toMatchObject({
    code,
    retryable,
    message: expect.stringContaining(`code ${returnCode}`) as unknown,
  });
});

test('a refused subscription is an error', async () => {
  const outcome = await outcomeOf({
    subscribe: ({ messageId = 0 }, { send }) => send({ cmd: 'suback', messageId, granted: [0x80] }),
  });
  expect(outcome).toMatchObject({ code: 'ERR_REMOTE_UNEXPECTED', evidence: { path: 'suback' } });
});

test.each<readonly [string, Script, string]>([
  ['after CONNECT', { connect: () => undefined }, 'awaiting-connack'],
  ['after SUBSCRIBE', { subscribe: () => undefined }, 'awaiting-suback'],
  ['after PUBLISH', { publish: () => undefined }, 'awaiting-reply'],
  [
    'after its acknowledgement',
    { publish: ({ messageId = 0 }, { send }) => send({ cmd: 'puback', messageId }) },
    'awaiting-reply',
  ],
])('a service that falls silent %s is given up', async (_title, script, state) => {
  expect(await outcomeOf(script, boundsOf(state))).toMatchObject({
    code: 'ERR_TIMEOUT',
    state,
    deadlineMs: 150,
    retryable: true,
  });
});

test.each<readonly [string, Script]>([
  ['after CONNECT', { connect: (_packet, { socket }) => void socket.destroy() }],
  ['after SUBSCRIBE', { subscribe: (_packet, { socket }) => void socket.end() }],
  ['after PUBLISH', { publish: (_packet, { socket }) => void socket.destroy() }],
])('a connection that is lost %s is told at once', async (_title, script) => {
  expect(await outcomeOf(script)).toMatchObject({ code: 'ERR_TRANSPORT_LOST', retryable: true });
});

test('an answer may come before, or without, the acknowledgement', async () => {
  expect(await outcomeOfOpen({ publish: (packet, { send }) => send(answerTo(packet)) })).toMatchObject({
    operation: { status: 'assigning' },
  });
});

test('duplicates, retained messages and answers to others are not taken for ours', async () => {
  const lines: string[] = [];
  const logger = { log: (_level: string, event: string) => void lines.push(event) };
  const stranger = { topic: '$rid=7b1e' };
  const wrong = { operationId: '5.0.wrong', status: 'assigning' };
  await using service = await startService({
    publish: (packet, { send }) =>
      send(
        answerTo(packet, 202, wrong, { retain: true }),
        answerTo(stranger, 202, wrong),
        { ...(answerTo(packet, 202, wrong) as IPublishPacket), topic: '$dps/other' },
        answerTo(packet),
        answerTo(packet, 202, wrong, { dup: true, qos: 1, messageId: 9 }),
      ),
  });
  await using session = openDevice(service, { logger });
  for (const ask of [register, poll]) {
    expect((await ask(session)).operation.operationId).toBe('5.0.op');
  }
  expect(service.connections).toBe(1);
  await expect.poll(() => lines.filter((event) => event === 'reply-ignored').length).toBe(8);
  await expect.poll(() => service.packets.some(({ cmd }) => cmd === 'puback')).toBe(true);
});

test.each<readonly [string, (packet: IPublishPacket) => Packet | Uint8Array, string]>([
  ['a body that is no JSON', (packet) => answerTo(packet, 200, '{'), 'ERR_REMOTE_MALFORMED'],
  ['a body without a status', (packet) => answerTo(packet, 200, {}), 'ERR_REMOTE_MALFORMED'],
  ['a status that is none', (packet) => answerTo(packet, 999), 'ERR_REMOTE_MALFORMED'],
  ['a redirection', (packet) => answerTo(packet, 302), 'ERR_REMOTE_REDIRECT'],
  ['an answer without a request id', () => answerTo({ topic: '' }), 'ERR_REMOTE_MALFORMED'],
  [
    'a message at QoS 2',
    (packet) => answerTo(packet, 202, {}, { qos: 2, messageId: 1 }),
    'ERR_REMOTE_UNEXPECTED',
  ],
  ['a second CONNACK', () => Uint8Array.of(0x20, 2, 0, 0), 'ERR_REMOTE_UNEXPECTED'],
  ['a packet of clients', () => Uint8Array.of(0xc0, 0), 'ERR_REMOTE_UNEXPECTED'],
  ['reserved flags', () => Uint8Array.of(0x21, 2, 0, 0), 'ERR_REMOTE_MALFORMED'],
  ['a topic beyond its packet', () => Uint8Array.of(0x30, 3, 0, 9, 97), 'ERR_REMOTE_MALFORMED'],
  [
    'a packet that announces 256 MiB',
    () => Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f),
    'ERR_REMOTE_TOO_LARGE',
  ],
  ['something else than MQTT', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'ERR_REMOTE_MALFORMED'],
])('%s is refused', async (_title, answer, code) => {
  const outcome = await outcomeOf({ publish: (packet, { send }) => send(answer(packet)) });
  expect(outcome).toMatchObject({ name: 'RemoteProtocolError', code });
});

test('an error answer keeps its number and its pause, and the connection', async () => {
  let asked = 0;
  await using service = await startService({
    publish: (packet, { send }) => {
      asked += 1;
      const error = { errorCode: 429_001, message: 'Too many requests', trackingId: 't' };
      send(asked === 1 ? answerTo(packet, 429, error, { suffix: '&retry-after=7' }) : answerTo(packet));
    },
  });
  await using session = openDevice(service);
  await expect(register(session)).rejects.toMatchObject({
    code: 'ERR_SERVICE_THROTTLED',
    serviceCode: 429_001,
    retryAfterMs: 7000,
    retryable: true,
  });
  expect((await register(session)).operation.status).toBe('assigning');
  expect(service.connections).toBe(1);
});

test('a pause is read from the topic', async () => {
  const outcome = await outcomeOfOpen({
    publish: (packet, { send }) => send(answerTo(packet, 202, undefined, { suffix: '&retry-after=3' })),
  });
  expect(outcome).toMatchObject({ retryAfterMs: 3000 });
});

test('a connection that was lost between two requests is opened again', async () => {
  await using service = await startService({
    publish: (packet, { send, socket }) => {
      send(answerTo(packet));
      if (packet.topic.includes('PUT')) socket.end();
    },
  });
  await using session = openDevice(service);
  await register(session);
  await expect.poll(() => service.open).toBe(0);
  await poll(session);
  expect(service.connections).toBe(2);
});

test('an idle connection shows that it lives, and goes when nobody answers', async () => {
  await using service = await startService();
  await using session = openDevice(service, { keepAliveSeconds: 1 });
  await register(session);
  await expect.poll(() => service.packets.at(-1)?.cmd, { timeout: 5_000 }).toBe('pingreq');
  await expect.poll(() => service.open, { timeout: 5_000 }).toBe(0);
});

test('what was aborted is gone at once, wherever it was', async () => {
  for (const script of [
    { connect: () => undefined },
    { subscribe: () => undefined },
    { publish: () => undefined },
  ]) {
    await using service = await startService(script);
    await using session = openDevice(service);
    const controller = new AbortController();
    const registering = session.register(
      { sasToken, registrationInfo: { registrationId } },
      { signal: controller.signal },
    );
    const step = Object.keys(script)[0];
    await expect.poll(() => service.packets.at(-1)?.cmd).toBe(step);
    controller.abort(new Error('changed my mind'));
    await expect(registering).rejects.toThrow('changed my mind');
    await expect.poll(() => service.open).toBe(0);
  }
});

test('a service that does not speak MQTT is told as such, over TLS and over WebSockets', async () => {
  await using peer = await startTlsPeer((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'));
  });
  await using plain = openDevice(peer);
  await expect(register(plain)).rejects.toMatchObject({ code: 'ERR_REMOTE_MALFORMED' });
  await using webSocket = openDevice(peer, { webSocket: true });
  await expect(register(webSocket)).rejects.toMatchObject({
    code: 'ERR_TRANSPORT_CONNECT',
    message: expect.stringContaining('status 400') as unknown,
  });
});

test('no log line and no error shows the token', async () => {
  const lines: string[] = [];
  const logger = { log: (...line: readonly unknown[]) => void lines.push(JSON.stringify(line)) };
  await using service = await startService({
    connect: (_packet, { send }) => send(Uint8Array.of(0x20, 2, 0, 5)),
  });
  await using session = openDevice(service, { logger });
  const error = await register(session).catch((cause: unknown) => cause as Error);
  expect(lines.length).toBeGreaterThan(0);
  expect(`${lines.join()} ${JSON.stringify(error)} ${String((error as Error).stack)}`).not.toContain(
    'c2VjcmV0',
  );
});

/** The reply of a service that stays. */
async function outcomeOfOpen(script: Script): Promise<unknown> {
  await using service = await startService(script);
  await using session = openDevice(service);
  return await register(session);
}
