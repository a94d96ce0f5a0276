/**
 * Defects seen in the C SDK (azure-iot-sdk-c c86b2d6a5, provisioning_client/src), each as the test that would have
 * found it. The numbers are only an order.
 */
import { expect, test } from 'vitest';
import { ProvDeviceResult } from '@endorse/provisioning-client';
import { startBench } from './support/bench.ts';

const challenge = { correlationId: 'c', nonce: 'AAEC' };

test('1: the reason of a failure is not that of the one before', async () => {
  const { client, peer, begin, turn, told } = await startBench();
  await begin();
  peer.reply(200, 'not JSON');
  await turn(2);
  expect(told.at(-1)).toContain('PARSING');
  await begin();
  peer.fail(new Error('lost'));
  await turn(2);
  expect(told.at(-1)).toContain('TRANSPORT');
  expect(client.lastError?.cause).toMatchObject({ message: 'lost' });
});

test('2: a second registration asks about its own operation', async () => {
  const { peer, begin, turn, untilAsked } = await startBench();
  for (const operationId of ['first', 'second']) {
    await begin();
    peer.reply(200, { operationId, status: 'assigning' });
    await untilAsked();
    expect(peer.requests.at(-1)?.target).toContain(`/operations/${operationId}?`);
    peer.fail(new Error('lost'));
    await turn(2);
  }
});

test('3: after a time-out the device can be registered again, with its full time', async () => {
  const { client, peer, begin, turn, clock, told } = await startBench();
  await begin();
  await clock.advance(60_001);
  await turn(2);
  expect(told.at(-1)).toContain('TIMEOUT');
  await begin();
  await clock.advance(60_000);
  await turn(3);
  expect(client.state).toBe('REGISTER_SENT');
  peer.reply(200, { operationId: 'o', status: 'assigning' });
  await turn(2);
  peer.reply(200, { IotHubUrl: 'hub' });
  await turn();
  expect(told.at(-1)).toBe('result OK hub my-device-1 context');
});

test('4: registering while busy leaves the registration id alone', async () => {
  const { client, peer, begin, register, turn } = await startBench();
  await begin();
  expect(register()).toBe(ProvDeviceResult.ERROR);
  expect(client.registrationId).toBe('my-device-1');
  peer.reply(401, challenge);
  await turn(3);
  expect(peer.requests.at(-1)?.target).toContain('/trust-confirmation/my-device-1?');
});

test('5: a registration id set by option outlives the run', async () => {
  const { client, peer, begin, turn } = await startBench();
  expect(client.setOption('registration_id', 'named-by-option')).toBe(ProvDeviceResult.OK);
  for (let run = 0; run < 2; run += 1) {
    await begin();
    expect(peer.requests.at(-1)?.target).toContain('/registrations/named-by-option/');
    peer.reply(403, {});
    await turn(2);
  }
  expect(client.registrationId).toBe('named-by-option');
});

test('6: a service that challenges for ever is given up after three answers', async () => {
  const { peer, begin, turn, clock, told, untilAsked } = await startBench();
  await begin();
  for (let answered = 0; answered < 3; answered += 1) {
    peer.reply(401, challenge);
    await untilAsked();
    expect(peer.requests.at(-1)?.target).toContain('trust-confirmation');
    peer.reply(503, {});
    await turn();
    await clock.advance(2000);
    await untilAsked();
    expect(peer.requests.at(-1)?.target).toContain('register-me');
  }
  peer.reply(401, challenge);
  await turn(2);
  expect(told.at(-1)).toContain('DEV_AUTH_ERROR');
  expect(peer.requests.filter(({ target }) => target.includes('trust-confirmation'))).toHaveLength(3);
});

test('7: the header is called user-agent', async () => {
  const { peer, begin } = await startBench();
  await begin();
  expect(Object.keys(peer.requests[0]?.headers ?? {})).toContain('user-agent');
  expect(Object.keys(peer.requests[0]?.headers ?? {}).map((name) => name.toLowerCase())).not.toContain(
    'useragent',
  );
});

test('8: the callback may register again at once, for the state is reset and the connection closed before', async () => {
  const { client, peer, turn, untilAsked } = await startBench();
  const results: unknown[] = [];
  const callback = (result: ProvDeviceResult): void => {
    results.push(result, peer.closes);
    if (results.length === 2) results.push(client.registerDevice(callback));
  };
  client.registerDevice(callback);
  await untilAsked();
  peer.fail(new Error('refused'));
  await turn(3);
  expect(results).toEqual([ProvDeviceResult.TRANSPORT, 1, ProvDeviceResult.OK]);
  peer.connect();
  await turn(3);
  expect(client.state).toBe('REGISTER_SENT');
});

test('9: a payload is unset with null', async () => {
  const { client, peer, begin, turn } = await startBench();
  const payload = { model: 'x', list: [1] };
  expect(client.setProvisioningPayload(payload)).toBe(ProvDeviceResult.OK);
  payload.list.push(2);
  await begin();
  expect(peer.requests.at(-1)?.body).toMatchObject({ properties: { model: 'x', list: [1] } });
  expect(client.setProvisioningPayload(null)).toBe(ProvDeviceResult.INVALID_STATE);
  peer.reply(403, {});
  await turn(2);
  expect(client.setProvisioningPayload(null)).toBe(ProvDeviceResult.OK);
  await begin();
  expect(peer.requests.at(-1)?.body).toMatchObject({ properties: null });
});

test.each([200, 401])('10: an empty %i is not read as the answer before', async (status) => {
  const { peer, begin, turn, untilAsked, clock, told } = await startBench();
  await begin();
  peer.reply(401, challenge);
  await untilAsked();
  peer.reply(503, { operationId: 'o', status: 'assigning' });
  await turn();
  await clock.advance(2000);
  await untilAsked();
  peer.reply(status, '');
  await turn(2);
  expect(told.at(-1)).toBe('result PARSING null null context');
});
