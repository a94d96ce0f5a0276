/** The hub over AMQP, spoken with bare rhea. Oracle: what `azure-iot-device-amqp` sends and takes, as its sources show it. */
import { once } from 'node:events';
import rhea from 'rhea';
import type { EventContext, Message, Sender } from 'rhea';
import { describe, expect, test } from 'vitest';
import type { Emulator, EmulatorEvent } from '../src/index.ts';
import { startEmulator } from '../src/index.ts';
import type { AmqpClient, AmqpLinks } from './support/amqp-client.ts';
import { connectAmqp, mechanism, refusalOf } from './support/amqp-client.ts';
import { deviceToken, sas } from './support/software-tpm.ts';

const deviceId = 'amqp-device';
const eventsOf = (id: string): string => `/devices/${id}/messages/events`;

interface HubFixture extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly events: EmulatorEvent[];
  readonly url: string;
  /** A hub token of the device. */
  readonly token: (fields?: { readonly id?: string; readonly expiresAt?: number }) => Promise<string>;
  readonly connect: (mechanisms?: Readonly<Record<string, unknown>>, url?: string) => Promise<AmqpClient>;
}

/** An emulator whose hub knows one device by its key. */
async function hubFixture(): Promise<HubFixture> {
  const events: EmulatorEvent[] = [];
  const emulator = await startEmulator({ onEvent: (event) => events.push(event) });
  const key = await registerWithKey(emulator, deviceId);
  const url = emulator.endpoints.hub.replace('https', 'amqps');
  return {
    emulator,
    events,
    url,
    token: ({ id = deviceId, expiresAt = Date.now() + 60_000 } = {}) =>
      sas({ resource: `${emulator.assignedHub}/devices/${id}`, key, expiresAt }),
    connect: (mechanisms = { ANONYMOUS: mechanism(Buffer.from('a')) }, from = url) =>
      connectAmqp({ url: from, ca: emulator.caPem, mechanisms }),
    [Symbol.asyncDispose]: () => emulator.stop(),
  };
}

/** Enrolls and registers a device, so that the hub knows it; returns its key. */
async function registerWithKey(emulator: Emulator, registrationId: string): Promise<Uint8Array> {
  const { primaryKey } = await emulator.createSymmetricKeyEnrollment({ registrationId });
  const key = primaryKey.reveal();
  const { idScope, caPem: ca } = emulator;
  const token = await deviceToken({ idScope, registrationId, key, expiresAt: Date.now() + 60_000 });
  const address = `${idScope}/registrations/${registrationId}`;
  const mechanisms = { PLAIN: mechanism(Buffer.from(`\0${address}\0${token}`)) };
  await using client = await connectAmqp({ url: emulator.endpoints.amqp, ca, mechanisms });
  const links = await client.attach(address);
  const ask = async (properties: object): Promise<Record<string, string>> => {
    const message = { application_properties: { ...properties }, body: '' };
    const { body } = await links.request(message);
    return JSON.parse(String((body as { readonly content: Buffer }).content)) as Record<string, string>;
  };
  const { operationId } = await ask({ 'iotdps-operation-type': 'iotdps-register' });
  const done = await ask({
    'iotdps-operation-type': 'iotdps-get-operationstatus',
    'iotdps-operation-id': operationId,
  });
  expect(done['status']).toBe('assigned');
  return key;
}

/** A client has one pair of links to `$cbs`. */
const cbsLinks = new WeakMap<AmqpClient, AmqpLinks>();

/** Puts a token, and returns what the hub says to it. */
async function putToken(client: AmqpClient, token: string, fields: Partial<Message> = {}): Promise<unknown> {
  const cbs = cbsLinks.get(client) ?? (await client.attach('$cbs'));
  cbsLinks.set(client, cbs);
  const { application_properties: properties, correlation_id } = await cbs.request({
    message_id: 'put-1',
    application_properties: { operation: 'put-token', type: 'servicebus.windows.net:sastoken', name: 'n' },
    body: token,
    ...fields,
  });
  expect(correlation_id).toBe('put-1');
  return properties;
}

async function openEvents(client: AmqpClient, id = deviceId): Promise<Sender> {
  const sender = client.connection.open_sender({ target: { address: eventsOf(id) } });
  await new Promise<void>((resolve, reject) => {
    sender.once('sender_error', () => reject(refusalOf(sender.error)));
    sender.once('sendable', () => resolve());
  });
  return sender;
}

function send(sender: Sender, message: Message): Promise<void> {
  return new Promise((resolve, reject) => {
    sender.once('accepted', () => resolve());
    sender.once('rejected', ({ delivery }: EventContext) => {
      const state = delivery?.remote_state as { readonly error?: unknown } | undefined;
      reject(refusalOf(state?.error));
    });
    sender.send(message);
  });
}

const event = (bytes: Buffer): Message => ({
  content_type: 'application/json',
  application_properties: { level: 'high', count: 7 },
  body: rhea.message.data_section(bytes) as unknown,
});

test('a device shows its token by CBS or in PLAIN, over TLS and over a WebSocket, and sends events', async () => {
  await using fixture = await hubFixture();
  const token = await fixture.token();
  const plain = { PLAIN: mechanism(Buffer.from(`\0${deviceId}@sas.localhost\0${token}`)) };
  for (const [mechanisms, url] of [
    [undefined, fixture.url],
    [undefined, `${fixture.url.replace('amqps', 'wss')}/$iothub/websocket`],
    [plain, fixture.url],
  ] as const) {
    await using client = await fixture.connect(mechanisms, url);
    if (mechanisms === undefined) {
      expect(await putToken(client, token)).toEqual({ 'status-code': 200, 'status-description': 'OK' });
    }
    await send(await openEvents(client), event(Buffer.from('{}')));
  }
  expect(fixture.emulator.telemetry).toHaveLength(3);
  expect(fixture.emulator.telemetry[0]).toMatchObject({
    deviceId,
    contentType: 'application/json',
    properties: { level: 'high', count: '7' },
  });
});

test('a new token prolongs the stay, and a device that is connected anew ends the connection before', async () => {
  await using fixture = await hubFixture();
  await using first = await fixture.connect();
  await putToken(first, await fixture.token());
  expect(await putToken(first, await fixture.token())).toMatchObject({ 'status-code': 200 });
  expect(fixture.emulator.hub.connectedDevices).toHaveLength(1);
  const ended = once(first.connection, 'connection_close');
  await using second = await fixture.connect();
  await putToken(second, await fixture.token());
  await ended;
  expect(refusalOf(first.connection.error)).toMatchObject({ condition: 'amqp:connection:forced' });
  await send(await openEvents(second), event(Buffer.from('{}')));
});

describe('refused', () => {
  test.each([
    [
      'a token of another key',
      async () =>
        sas({
          resource: `localhost/devices/${deviceId}`,
          key: new Uint8Array(32),
          expiresAt: Date.now() + 60_000,
        }),
      401,
    ],
    ['a token that expired', ({ token }: HubFixture) => token({ expiresAt: Date.now() - 60_000 }), 401],
    ['a token for a device the hub has not', ({ token }: HubFixture) => token({ id: 'nobody' }), 401],
    [
      'a token for the provisioning service',
      async () =>
        deviceToken({
          idScope: '0ne1',
          registrationId: 'r',
          key: new Uint8Array(32),
          expiresAt: Date.now() + 60_000,
        }),
      401,
    ],
    ['no token', async () => 'x', 401],
  ])('by status: %s', async (_title, make, status) => {
    await using fixture = await hubFixture();
    await using client = await fixture.connect();
    expect(await putToken(client, await make(fixture))).toMatchObject({ 'status-code': status });
    await expect(openEvents(client)).rejects.toMatchObject({ condition: 'amqp:unauthorized-access' });
  });

  test('by status: something else than a token', async () => {
    await using fixture = await hubFixture();
    await using client = await fixture.connect();
    const application_properties = { operation: 'delete-token' };
    expect(await putToken(client, 'x', { application_properties })).toMatchObject({ 'status-code': 400 });
  });

  test('by a SASL outcome: a user name of no device, and a token that is not good', async () => {
    await using fixture = await hubFixture();
    for (const text of [`\0${deviceId}\0x`, `\0${deviceId}@sas.localhost\0x`]) {
      await expect(fixture.connect({ PLAIN: mechanism(Buffer.from(text)) })).rejects.toMatchObject({
        condition: 'amqp:unauthorized-access',
      });
    }
  });

  test('by a detach: a node that is not there, and the events of another device', async () => {
    await using fixture = await hubFixture();
    await using client = await fixture.connect();
    await putToken(client, await fixture.token());
    await expect(client.attach('/devices/x/twin')).rejects.toMatchObject({ condition: 'amqp:not-found' });
    await expect(openEvents(client, 'other')).rejects.toMatchObject({
      condition: 'amqp:unauthorized-access',
      description: expect.stringContaining('401003') as unknown,
    });
  });

  test('by a disposition: an event above 256 KiB', async () => {
    await using fixture = await hubFixture();
    await using client = await fixture.connect();
    await putToken(client, await fixture.token());
    const sender = await openEvents(client);
    await expect(send(sender, event(Buffer.alloc(262_145)))).rejects.toMatchObject({
      condition: 'amqp:link:message-size-exceeded',
    });
    await send(sender, event(Buffer.alloc(262_144)));
  });
});
