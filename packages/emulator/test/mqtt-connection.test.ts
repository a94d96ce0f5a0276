/** MQTT below any service. Oracle: `mqtt-packet`, and the sections of MQTT 3.1.1 named in the titles. */
import type { ISubscribePacket } from 'mqtt-packet';
import { expect, test, vi } from 'vitest';
import { defaultMqttBounds } from '../src/mqtt/mqtt-connection.ts';
import type { MqttLink, MqttMessage, MqttService } from '../src/mqtt/mqtt-service.ts';
import { connectPacket, linkMqtt } from './support/mqtt-client.ts';
import type { RawMqttClient } from './support/mqtt-client.ts';
import { matching } from './support/matchers.ts';

interface Recorded {
  readonly service: MqttService;
  readonly messages: MqttMessage[];
  readonly subscriptions: string[];
  readonly violations: string[];
  readonly links: MqttLink[];
  readonly closed: { count: number };
}

/** Lets everybody in but `stranger`, takes every topic but `forbidden`, and answers `ask` on `answers/#`. */
function recorder(): Recorded {
  const recorded = {
    messages: [] as MqttMessage[],
    subscriptions: [] as string[],
    violations: [] as string[],
    links: [] as MqttLink[],
    closed: { count: 0 },
  };
  const service: MqttService = {
    connect: ({ clientId }, link) => {
      if (clientId === 'stranger') return { outcome: 'refused', returnCode: 5 };
      recorded.links.push(link);
      return {
        outcome: 'accepted',
        session: {
          filters: ['answers/#'],
          onSubscription: (filter, wanted) =>
            void recorded.subscriptions.push(`${wanted ? '+' : '-'}${filter}`),
          receive: (message) => {
            recorded.messages.push(message);
            if (message.topic === 'ask')
              link.publish('answers/#', { topic: 'answers/1', payload: message.payload });
            return message.topic !== 'forbidden';
          },
          close: () => {
            recorded.closed.count += 1;
          },
        },
      };
    },
    noteViolation: (reason) => void recorded.violations.push(reason),
  };
  return { ...recorded, service };
}

const publish = { cmd: 'publish', topic: 'ask', payload: 'hello', dup: false, retain: false } as const;
const subscribe: ISubscribePacket = {
  cmd: 'subscribe',
  messageId: 1,
  subscriptions: [{ topic: 'answers/#', qos: 1 }],
};

async function connected(recorded: Recorded): Promise<RawMqttClient> {
  const client = linkMqtt(recorded.service);
  client.send(connectPacket('device', 'name', 'word'));
  expect(await client.next()).toMatchObject({ cmd: 'connack', returnCode: 0, sessionPresent: false });
  return client;
}

test('subscribe, publish, answer, unsubscribe, ping and goodbye', async () => {
  const recorded = recorder();
  const client = await connected(recorded);
  client.send(subscribe);
  expect(await client.next()).toMatchObject({ cmd: 'suback', messageId: 1, granted: [1] });
  client.send({ ...publish, qos: 1, messageId: 7 });
  // The official C# client wants the acknowledgement before the answer.
  expect(await client.next()).toMatchObject({ cmd: 'puback', messageId: 7 });
  expect(await client.next()).toMatchObject({ cmd: 'publish', topic: 'answers/1', qos: 1, messageId: 1 });
  client.send({ cmd: 'puback', messageId: 1 });
  client.send({ cmd: 'pingreq' });
  expect(await client.next()).toMatchObject({ cmd: 'pingresp' });
  client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['answers/#', 'never'] });
  expect(await client.next()).toMatchObject({ cmd: 'unsuback', messageId: 2 });
  client.send({ ...publish, qos: 0 });
  client.send({ cmd: 'disconnect' });
  expect(await client.next()).toBe('closed');
  expect(recorded.subscriptions).toEqual(['+answers/#', '-answers/#']);
  expect(recorded.messages.map(({ payload }) => String(payload))).toEqual(['hello', 'hello']);
  expect(recorded.violations).toEqual([]);
  await expect.poll(() => recorded.closed.count).toBe(1);
});

test('QoS 2 is granted as 1, QoS 0 as 0, and a filter that is not served not at all', async () => {
  const client = await connected(recorder());
  const topics = [
    { topic: 'answers/#', qos: 2 },
    { topic: 'other/#', qos: 1 },
    { topic: 'answers/#', qos: 0 },
  ] as const;
  client.send({ cmd: 'subscribe', messageId: 9, subscriptions: [...topics] });
  expect(await client.next()).toMatchObject({ granted: [1, 0x80, 0] });
  client.send({ ...publish, qos: 0 });
  expect(await client.next()).toMatchObject({ cmd: 'publish', qos: 0 });
});

test('a session that asks to be kept is not: it was not there before', async () => {
  const client = linkMqtt(recorder().service);
  client.send({ ...connectPacket('device', 'n', 'p'), clean: false } as never);
  expect(await client.next()).toMatchObject({ returnCode: 0, sessionPresent: false });
});

test('who is refused gets the code and is disconnected (3.1.4)', async () => {
  const client = linkMqtt(recorder().service);
  client.send(connectPacket('stranger', 'n', 'p'));
  expect(await client.next()).toMatchObject({ cmd: 'connack', returnCode: 5 });
  expect(await client.next()).toBe('closed');
});

test.each([
  [3, 'MQIsdp', 1],
  [5, 'MQTT', 0x84],
] as const)(
  'version %i of MQTT is refused in its own words (3.1.2.2)',
  async (protocolVersion, protocolId, code) => {
    const recorded = recorder();
    const client = linkMqtt(recorded.service);
    const raw = new Promise<Buffer>((resolve) => client.stream.once('data', resolve));
    client.send({ ...connectPacket('device', 'n', 'p'), protocolVersion, protocolId } as never);
    expect((await raw)[3]).toBe(code);
    expect(recorded.violations).toEqual([matching(/3\.1\.1 is/)]);
  },
);

test.each<readonly [string, (client: RawMqttClient) => void, RegExp]>([
  ['a second CONNECT (3.1.0-2)', (client) => client.send(connectPacket('device', 'n', 'p')), /twice/],
  ['QoS 2', (client) => client.send({ ...publish, qos: 2, messageId: 1 }), /QoS 2/],
  ['QoS 3 (3.3.1-4)', (client) => client.send(Uint8Array.of(0x36, 4, 0, 1, 97, 98)), /QoS/],
  ['a packet of servers', (client) => client.send({ cmd: 'pingresp' }), /does not send pingresp/],
  ['reserved flags (2.2.2-2)', (client) => client.send(Uint8Array.of(0x83, 0)), /header flag/i],
  ['the type 0', (client) => client.send(Uint8Array.of(0x00, 0)), /supported/],
  [
    'a packet that ends within its topic',
    (client) => client.send(Uint8Array.of(0x30, 3, 0, 9, 97)),
    /topic/i,
  ],
  [
    'a packet beyond the limit, before it has come',
    (client) => client.send(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f)),
    /above the limit/,
  ],
  [
    'a length of five bytes',
    (client) => client.send(Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 1)),
    /five bytes/,
  ],
])('%s costs the connection (4.8)', async (_title, break_, reason) => {
  const recorded = recorder();
  const client = await connected(recorded);
  break_(client);
  expect(await client.next()).toBe('closed');
  expect(recorded.violations).toEqual([matching(reason)]);
  await expect.poll(() => recorded.closed.count).toBe(1);
});

test('a topic that may not be published to costs the connection, without an acknowledgement', async () => {
  const recorded = recorder();
  const client = await connected(recorded);
  client.send({ ...publish, topic: 'forbidden', qos: 1, messageId: 1 });
  client.send({ ...publish, qos: 0 });
  expect(await client.next()).toBe('closed');
  expect(recorded.messages).toHaveLength(1);
});

test('anything before CONNECT costs the connection (3.1.0-1)', async () => {
  const recorded = recorder();
  const client = linkMqtt(recorded.service);
  client.send(subscribe);
  expect(await client.next()).toBe('closed');
  expect(recorded.violations).toEqual(['subscribe came before CONNECT']);
});

test('who does not say CONNECT in time is disconnected', async () => {
  const recorded = recorder();
  const client = linkMqtt(recorded.service, {}, { ...defaultMqttBounds, connectTimeoutMs: 20 });
  expect(await client.next()).toBe('closed');
  expect(recorded.violations).toEqual(['CONNECT did not come in time']);
});

test('who is silent for one and a half of its keep-alive is disconnected, but for none without one (3.1.2.10)', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const recorded = recorder();
    const client = await connected(recorded);
    vi.advanceTimersByTime(89_000);
    client.send({ cmd: 'pingreq' });
    expect(await client.next()).toMatchObject({ cmd: 'pingresp' });
    vi.advanceTimersByTime(89_999);
    expect(recorded.violations).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(await client.next()).toBe('closed');
    expect(recorded.violations).toEqual(['nothing came within the keep-alive']);
    const endless = linkMqtt(recorded.service);
    endless.send({ ...connectPacket('device', 'n', 'p'), keepalive: 0 } as never);
    expect(await endless.next()).toMatchObject({ returnCode: 0 });
    vi.advanceTimersByTime(86_400_000);
    expect(recorded.violations).toHaveLength(1);
  } finally {
    vi.useRealTimers();
  }
});

test('messages that are not acknowledged are bounded, and so are those that are not read', async () => {
  const recorded = recorder();
  const bounds = { ...defaultMqttBounds, maxInFlight: 2, maxUnsentBytes: 100_000 };
  const client = linkMqtt(recorded.service, {}, bounds);
  client.send(connectPacket('device', 'n', 'p'));
  client.send(subscribe);
  for (const messageId of [1, 2, 3]) client.send({ ...publish, qos: 1, messageId });
  const seen: string[] = [];
  for (let packet = await client.next(); packet !== 'closed'; packet = await client.next())
    seen.push(packet.cmd);
  expect(seen.filter((cmd) => cmd === 'publish')).toHaveLength(2);
  expect(recorded.violations).toEqual(['2 messages are not acknowledged']);

  const deaf = linkMqtt(recorded.service, {}, bounds);
  deaf.send(connectPacket('device', 'n', 'p'));
  deaf.send({ ...subscribe, subscriptions: [{ topic: 'answers/#', qos: 0 }] });
  expect(await deaf.next()).toMatchObject({ cmd: 'connack' });
  expect(await deaf.next()).toMatchObject({ cmd: 'suback' });
  deaf.stream.pause();
  for (let at = 0; at < 8; at += 1)
    recorded.links[1]?.publish('answers/#', { topic: 'answers/1', payload: new Uint8Array(30_000) });
  expect(recorded.violations.at(-1)).toBe('100000 bytes were not read');
  await expect.poll(() => recorded.closed.count).toBe(2);
});
