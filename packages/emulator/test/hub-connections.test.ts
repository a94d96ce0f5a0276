/** Who is connected, and direct methods over a connection: what a carrier can rely on. */
import { expect, test } from 'vitest';
import { deviceKey, hubFixture } from './support/hub-fixture.ts';

test('a connected device sends telemetry and is listed until it closes', async () => {
  const { hub, events, connect } = hubFixture();
  const { session, ends } = await connect();
  session.sendEvent({ body: Uint8Array.of(1), properties: { unit: 'C' } });
  expect(hub.listConnected()).toMatchObject([{ deviceId: 'Dev-1', connection: { carrier: 'memory' } }]);
  session.close();
  session.close();
  expect(hub.listConnected()).toEqual([]);
  expect(ends).toEqual([]);
  expect(events.map(({ event }) => event)).toEqual([
    'enrollment-written',
    'device-connected',
    'telemetry-received',
    'device-disconnected',
  ]);
});

test('a wrong key does not connect, and does not disturb who is connected', async () => {
  const { hub, events, token, connect } = hubFixture();
  const { ends } = await connect();
  await expect(connect(await token(Buffer.alloc(32, 8)))).rejects.toThrow('IotHubUnauthorizedAccess');
  expect(ends).toEqual([]);
  expect(hub.listConnected()).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ event: 'request-refused', operation: 'connect', errorCode: 401_003 });
});

test('a device has one connection: the new one takes over', async () => {
  const { hub, connect } = hubFixture();
  const first = await connect();
  const second = await connect();
  expect([first.ends, second.ends]).toEqual([['taken-over'], []]);
  first.session.close();
  expect(hub.listConnected()).toHaveLength(1);
});

test('a replaced key ends the connection, the same key written again does not', async () => {
  const { hub, connect } = hubFixture();
  const { ends } = await connect();
  hub.writeDevice({ deviceId: 'Dev-1', keys: [Buffer.from(deviceKey)], thumbprints: [] });
  expect(ends).toEqual([]);
  hub.writeDevice({ deviceId: 'Dev-1', keys: [Buffer.alloc(32, 9)] });
  expect(ends).toEqual(['credential-replaced']);
  expect(hub.listConnected()).toEqual([]);
});

test('a removed device is disconnected', async () => {
  const { hub, connect } = hubFixture();
  const { ends } = await connect();
  hub.removeDevice('Dev-1');
  expect(ends).toEqual(['device-removed']);
});

test('a connection lasts as long as its token, which can be renewed', async () => {
  const { hub, clock, token, connect } = hubFixture();
  const { session, ends } = await connect(await token(deviceKey, 10_000));
  await clock.advance(9_999);
  expect(session.renewToken(await token(Buffer.alloc(32, 8)))).toMatchObject({ errorCode: 401_003 });
  expect(session.renewToken(await token(deviceKey, 10_001))).toBeUndefined();
  await clock.advance(10_000);
  expect(ends).toEqual([]);
  await clock.advance(1);
  expect(ends).toEqual(['token-expired']);
  expect([hub.listConnected(), clock.pendingSleeps]).toEqual([[], 0]);
});

test('a method goes to the device, and its answer to the caller', async () => {
  const { hub, clock, connect } = hubFixture();
  const { session, methods } = await connect();
  session.setFeed('methods', true);
  const outcome = hub.invokeMethod('Dev-1', { methodName: 'reboot', payload: { in: 5 } });
  await clock.advance(0);
  expect(methods).toEqual([{ requestId: '1', methodName: 'reboot', payload: { in: 5 } }]);
  expect(session.answerMethod('2', { status: 200, payload: null })).toBe(false);
  expect(session.answerMethod('1', { status: 418, payload: 'no' })).toBe(true);
  expect(await outcome).toEqual({ outcome: 'answered', status: 418, payload: 'no' });
  expect(session.answerMethod('1', { status: 200, payload: null })).toBe(false);
});

test('a device that takes no methods is offline, at once or after the connect timeout', async () => {
  const { hub, clock, connect } = hubFixture();
  await connect();
  const offline = { outcome: 'refused', fault: { code: 'DeviceNotOnline', status: 404 } };
  expect(await hub.invokeMethod('Dev-1', { methodName: 'm' })).toMatchObject(offline);
  const waiting = hub.invokeMethod('Dev-1', { methodName: 'm', connectTimeoutMs: 100 });
  await clock.advance(100);
  expect(await waiting).toMatchObject(offline);
});

test('the connect timeout waits for a device to connect and ask for methods', async () => {
  const { hub, clock, connect } = hubFixture();
  const outcome = hub.invokeMethod('Dev-1', { methodName: 'm', connectTimeoutMs: 100 });
  const { session, methods } = await connect();
  session.setFeed('desired-properties', true);
  session.setFeed('methods', true);
  await clock.advance(0);
  expect(methods).toEqual([{ requestId: '1', methodName: 'm', payload: null }]);
  session.answerMethod('1', { status: 200, payload: null });
  expect(await outcome).toMatchObject({ status: 200 });
});

test('a device that does not answer in time, or goes away, fails the method', async () => {
  const { hub, clock, connect } = hubFixture();
  const { session } = await connect();
  session.setFeed('methods', true);
  const slow = hub.invokeMethod('Dev-1', { methodName: 'm', responseTimeoutMs: 50 });
  await clock.advance(50);
  expect(await slow).toMatchObject({ fault: { errorCode: 504_101, code: 'GatewayTimeout' } });
  const cut = hub.invokeMethod('Dev-1', { methodName: 'm' });
  await clock.advance(0);
  session.close();
  expect(await cut).toMatchObject({ fault: { code: 'DeviceNotOnline' } });
  expect(clock.pendingSleeps).toBe(0);
});

test.each([
  ['a name with a slash', { methodName: 'a/b' }],
  ['an empty name', { methodName: '' }],
  ['a name of 65 characters', { methodName: 'm'.repeat(65) }],
  ['a timeout out of range', { methodName: 'm', responseTimeoutMs: 300_001 }],
  ['a connect timeout out of range', { methodName: 'm', connectTimeoutMs: -1 }],
  ['a payload beyond 128 KiB', { methodName: 'm', payload: 'x'.repeat(131_071) }],
])('a method with %s is refused', async (_title, invocation) => {
  const { hub } = hubFixture();
  expect(await hub.invokeMethod('Dev-1', invocation)).toMatchObject({ fault: { code: 'ArgumentInvalid' } });
});

test('an unknown device has no methods', async () => {
  const { hub } = hubFixture();
  expect(await hub.invokeMethod('nobody', { methodName: 'm' })).toMatchObject({
    fault: { errorCode: 404_001 },
  });
});

test('a hub that stops lets go of everything, and takes nobody in', async () => {
  const { hub, clock, connect } = hubFixture();
  const waiting = hub.invokeMethod('Dev-1', { methodName: 'm', connectTimeoutMs: 300_000 });
  const { ends } = await connect();
  hub.stop();
  expect(ends).toEqual(['hub-stopped']);
  expect(await waiting).toMatchObject({ fault: { code: 'DeviceNotOnline' } });
  expect((await connect()).ends).toEqual(['hub-stopped']);
  expect(clock.pendingSleeps).toBe(0);
});
