/** Fault scripts over HTTPS, as a client that knows nothing of them meets them. */
import { Agent } from 'node:https';
import type { EmulatorOptions, FaultRule } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { expect, test } from 'vitest';
import { emulatorFixture, sendRaw, tpmDevice } from './support/http-client.ts';
import { matching } from './support/matchers.ts';
import { softwareTpm } from './support/software-tpm.ts';

async function fixture(options: EmulatorOptions) {
  const http = await emulatorFixture(options);
  const { endorsementKey } = softwareTpm();
  await http.emulator.createTpmEnrollment({ registrationId: 'dev', endorsementKey });
  return { ...http, device: tpmDevice(http, 'dev') };
}

test('429 with a pause, then 503, then the operation', async () => {
  const faults: FaultRule[] = [
    {
      operation: 'request-challenge',
      count: 1,
      fault: { kind: 'status', status: 429, retryAfterSeconds: 2 },
    },
    {
      operation: 'request-challenge',
      after: 1,
      count: 1,
      fault: { kind: 'status', status: 503, message: 'Busy', errorCode: 503_007 },
    },
  ];
  await using http = await fixture({ faults });
  const [first, second, third] = [
    await http.device.requestChallenge(),
    await http.device.requestChallenge(),
    await http.device.requestChallenge(),
  ];
  expect([first.status, first.headers['retry-after'], first.json()['errorCode']]).toEqual([
    429,
    '2',
    429_001,
  ]);
  expect([second.status, second.json()['message'], second.json()['errorCode']]).toEqual([
    503,
    'Busy',
    503_007,
  ]);
  expect(third.json()['authenticationKey']).toEqual(matching(/./));
});

test('an answer that is late waits for the clock, and nobody else waits with it', async () => {
  const clock = new VirtualClock(Date.now());
  await using http = await fixture({
    clock,
    faults: [{ device: 'dev', fault: { kind: 'delay', delayMs: 60_000 } }],
  });
  const late = http.device.requestChallenge();
  const other = await http.sendAsOwner({ path: '/enrollments/other?api-version=2021-10-01' });
  expect(other.status).toBe(404);
  while (clock.pendingSleeps === 0) await new Promise(setImmediate);
  await clock.advance(60_000);
  expect((await late).status).toBe(401);
});

test('a connection that is dropped before handling has done nothing, after handling it has', async () => {
  await using http = await fixture({});
  const { device, emulator } = http;
  const token = await device.solve(await device.requestChallenge());
  for (const when of ['before-handling', 'after-handling'] as const) {
    emulator.faults.add({ operation: 'register', count: 1, fault: { kind: 'drop', when } });
    await expect(device.register(token)).rejects.toThrow(/hang up|ECONNRESET/);
    const state = await http.send({
      method: 'POST',
      path: `${device.path}?api-version=2021-06-01`,
      headers: { ...device.headers, authorization: token },
      body: '{}',
    });
    expect(state.json()['status']).toBe(when === 'before-handling' ? 'unassigned' : 'assigned');
  }
});

test('a body that is cut off, and one that says it is something else', async () => {
  await using http = await fixture({});
  const { device, emulator } = http;
  emulator.faults.add({ count: 1, fault: { kind: 'truncate' } });
  await expect(device.requestChallenge()).rejects.toThrow(/aborted/);
  emulator.faults.add({ count: 1, fault: { kind: 'truncate', keepBytes: 0 } });
  await expect(device.requestChallenge()).rejects.toThrow(/aborted/);
  emulator.faults.add({ count: 1, fault: { kind: 'content-type', contentType: 'text/html' } });
  const answer = await device.requestChallenge();
  expect([answer.headers['content-type'], answer.status]).toEqual(['text/html', 401]);
  expect((await device.requestChallenge()).headers['content-type']).toMatch(/^application\/json/);
});

test('the service API and the hub have their faults, in their own words', async () => {
  await using http = await fixture({});
  http.emulator.faults.add({
    operation: 'get-enrollment',
    device: 'dev',
    fault: { kind: 'status', status: 500 },
  });
  const get = await http.sendAsOwner({ path: '/enrollments/dev?api-version=2021-10-01' });
  expect([get.status, get.json()['errorCode']]).toEqual([500, 500_001]);
  http.emulator.faults.add({
    operation: 'query-enrollments',
    fault: { kind: 'status', status: 429, retryAfterSeconds: 1 },
  });
  const query = await http.sendAsOwner({
    method: 'POST',
    path: '/enrollments/query?api-version=2021-10-01',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"SELECT *"}',
  });
  expect([query.status, query.headers['retry-after']]).toEqual([429, '1']);
  http.emulator.faults.add({
    operation: 'send-event',
    fault: { kind: 'status', status: 503, message: 'ServiceUnavailable' },
  });
  const event = await http.send(
    { method: 'POST', path: '/devices/dev/messages/events?api-version=2021-04-12', body: 'x' },
    http.emulator.endpoints.hub,
  );
  expect([event.status, event.headers['iothub-errorcode']]).toEqual([503, 'ServiceUnavailable']);
});

test('an expired certificate fails the handshake, for as many connections as it is told', async () => {
  await using emulator = await startEmulator({
    faults: [{ carrier: 'http', count: 2, fault: { kind: 'expired-certificate' } }],
  });
  const connect = async () => {
    const agent = new Agent({ ca: emulator.caPem });
    try {
      return (await sendRaw(emulator.endpoints.http, agent, { path: '/' })).status;
    } finally {
      agent.destroy();
    }
  };
  await expect(connect()).rejects.toMatchObject({ code: 'CERT_HAS_EXPIRED' });
  await expect(connect()).rejects.toMatchObject({ code: 'CERT_HAS_EXPIRED' });
  expect(await connect()).toBe(404);
  expect(emulator.faults.list()).toMatchObject([{ hits: 2 }]);
});

test('a rule that cannot be is refused before anything listens', async () => {
  const faults = [{ fault: { kind: 'status', status: 200 } }] as const;
  await expect(startEmulator({ faults })).rejects.toMatchObject({
    code: 'ERR_OUT_OF_RANGE',
    message: matching(/options\.faults\[0\]\.fault\.status/),
  });
});
