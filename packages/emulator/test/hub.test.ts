/** The hub's door: only a token under the key that was written opens it. Token fields follow the hub's documentation: no `skn`. */
import type { IotHub } from '@endorse/emulator/core';
import { expect, test } from 'vitest';
import { coreFixture } from './support/core-fixture.ts';
import { sas } from './support/software-tpm.ts';
import { matching } from './support/matchers.ts';

const key = Buffer.alloc(32, 7);

interface HubFixture {
  readonly hub: IotHub;
  readonly telemetry: () => readonly { readonly body: Uint8Array }[];
  readonly send: (change?: Partial<Parameters<typeof sas>[0]>, body?: Uint8Array) => Promise<string>;
}

function hubFixture(maxTelemetryMessages = 1000): HubFixture {
  const { core, clock } = coreFixture({
    hubs: [{ name: 'hub', hostName: 'localhost:8443' }],
    maxTelemetryMessages,
  });
  const hub = core.hubs[0];
  if (hub === undefined) throw new Error('no hub');
  hub.writeDevice({ deviceId: 'Dev-1', keys: [key] });
  const send: HubFixture['send'] = async (change = {}, body = new Uint8Array()) => {
    const token = await sas({
      resource: 'localhost:8443/devices/Dev-1',
      key,
      expiresAt: clock.now() + 1000,
      ...change,
    });
    return hub.acceptEvent({ deviceId: 'Dev-1', token, body })?.code ?? 'accepted';
  };
  return { hub, telemetry: () => core.telemetry, send };
}

test.each([
  ['as made out for it', {}],
  ['for the host without its port', { resource: 'localhost/devices/Dev-1' }],
  ['for another name of this machine', { resource: '127.0.0.1:8443/devices/Dev-1' }],
  ['in lower case, as the Rust client sends it', { resource: 'localhost:8443/devices/dev-1' }],
  ['with a raw resource', { encoding: 'raw' as const }],
])('a token %s opens the hub', async (_title, change) => {
  expect(await hubFixture().send(change)).toBe('accepted');
});

test.each([
  ['under another key', { key: Buffer.alloc(32, 8) }],
  ['that has expired', { expiresAt: 1_700_000_000_000 }],
  ['for another device', { resource: 'localhost:8443/devices/Dev-2' }],
  ['for the whole host', { resource: 'localhost:8443' }],
  ['for another host', { resource: 'example.com/devices/Dev-1' }],
])('a token %s does not', async (_title, change) => {
  const { send, telemetry } = hubFixture();
  expect(await send(change)).toBe('IotHubUnauthorizedAccess');
  expect(telemetry()).toHaveLength(0);
});

test('an unknown device and a missing token are refused like a wrong key', () => {
  const { hub } = hubFixture();
  const event = { token: undefined, body: new Uint8Array() };
  expect(hub.acceptEvent({ ...event, deviceId: 'Dev-1' })).toMatchObject({ status: 401, errorCode: 401_003 });
  expect(hub.acceptEvent({ ...event, deviceId: 'nobody' })).toMatchObject({
    status: 401,
    errorCode: 401_003,
  });
});

test('device ids are told apart by case', async () => {
  const { hub, send } = hubFixture();
  const token = await sas({ resource: 'localhost/devices/dev-1', key, expiresAt: 4_000_000_000_000 });
  expect(hub.acceptEvent({ deviceId: 'dev-1', token, body: new Uint8Array() })?.reason).toMatch(
    /no device dev-1/,
  );
  expect(await send()).toBe('accepted');
});

test('writing a device again replaces its key', async () => {
  const { hub, send } = hubFixture();
  const newKey = Buffer.alloc(32, 9);
  hub.writeDevice({ deviceId: 'Dev-1', keys: [newKey] });
  expect(await send()).toBe('IotHubUnauthorizedAccess');
  expect(await send({ key: newKey })).toBe('accepted');
  expect(hub.listDevices()).toEqual([{ deviceId: 'Dev-1', keyFingerprints: [matching(/^[0-9a-f]{8}$/)] }]);
});

test('telemetry is bounded by number, the oldest goes first', async () => {
  const { send, telemetry } = hubFixture(2);
  for (const byte of [1, 2, 3]) await send({}, Uint8Array.of(byte));
  expect(telemetry().map(({ body }) => body[0])).toEqual([2, 3]);
});

test('telemetry is bounded by bytes, but the last message always stays', async () => {
  const { send, telemetry } = hubFixture();
  const half = 8_388_608;
  for (const byte of [1, 2, 3]) await send({}, new Uint8Array(half).fill(byte));
  expect(telemetry().map(({ body }) => body[0])).toEqual([2, 3]);
  await send({}, new Uint8Array(3 * half).fill(4));
  expect(telemetry().map(({ body }) => body[0])).toEqual([4]);
});

test('a stored message does not change with the buffer it came in', async () => {
  const { send, telemetry } = hubFixture();
  const body = Uint8Array.of(1);
  await send({}, body);
  body[0] = 2;
  expect(telemetry()[0]?.body).toEqual(Uint8Array.of(1));
});
