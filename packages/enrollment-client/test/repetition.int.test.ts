/** What is repeated, how often and how long after: on a virtual clock, so no test waits. */
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { parseSasToken, verifySasSignature } from '@endorse/protocol';
import { expect, test, vi } from 'vitest';
import { tpmEnrollment } from '@endorse/enrollment-client';
import { endorsementKey } from './support/fixture.ts';
import type { ScriptedReply } from './support/service.ts';
import { policyKey, startService } from './support/service.ts';

const enrollment = tpmEnrollment({ endorsementKey, registrationId: 'r' });
const found: ScriptedReply = {
  status: 200,
  body: { registrationId: 'r', attestation: { type: 'symmetricKey' }, etag: '"1"' },
};
const throttled = (seconds?: string): ScriptedReply => ({
  status: 429,
  headers: seconds === undefined ? {} : { 'retry-after': seconds },
  body: { errorCode: 429_001, trackingId: 't-1', message: 'Too many requests.' },
});

/** Waits until the client pauses and lets that pause pass; returns how long it was. */
async function skipPause(clock: VirtualClock): Promise<number> {
  await vi.waitFor(() => expect(clock.pendingSleeps).toBe(1), { timeout: 20_000, interval: 2 });
  const pauseMs = (clock.nextWakeAt ?? 0) - clock.now();
  await clock.advance(pauseMs);
  return pauseMs;
}

test('a throttled request is repeated after the pause the service asks for, also one that changes something', async () => {
  const clock = new VirtualClock();
  await using service = await startService((_request, index) => (index === 0 ? throttled('7') : found));
  const done = service.client({ clock }).enrollments.create(enrollment);
  expect(await skipPause(clock)).toBe(7000);
  expect(await done).toMatchObject({ registrationId: 'r' });
  expect(service.requests.map(({ method }) => method)).toEqual(['PUT', 'PUT']);
});

test('without a pause to go by, pauses grow, and after the last repetition the error says what the service said', async () => {
  const clock = new VirtualClock();
  await using service = await startService(() => throttled());
  const done = service.client({ clock }).enrollments.get('r');
  const outcome = expect(done).rejects.toMatchObject({
    code: 'ERR_SERVICE_THROTTLED',
    serviceCode: 429_001,
    trackingId: 't-1',
    retryable: true,
    remedy: 'Wait as long as the answer says and send fewer requests a minute.',
  });
  expect([await skipPause(clock), await skipPause(clock), await skipPause(clock)]).toEqual([500, 1000, 2000]);
  await outcome;
  expect(service.requests).toHaveLength(4);
});

test('a service that asks for more patience than allowed is not waited for', async () => {
  await using service = await startService(() => throttled('61'));
  const { enrollments } = service.client({ clock: new VirtualClock() });
  await expect(enrollments.get('r')).rejects.toMatchObject({ status: 429, retryAfterMs: 61_000 });
  expect(service.requests).toHaveLength(1);
});

test.each<[string, (socket: { destroy(): void }) => ScriptedReply, object]>([
  ['503', () => ({ status: 503 }), { code: 'ERR_SERVICE_UNAVAILABLE', status: 503 }],
  [
    'a lost connection',
    (socket) => {
      socket.destroy();
      return undefined;
    },
    { code: 'ERR_TRANSPORT_LOST', retryable: true },
  ],
])('after %s only what reads is repeated', async (_title, fail, error) => {
  const clock = new VirtualClock();
  await using service = await startService(({ method, socket }, index) =>
    method === 'GET' && index > 0 ? found : fail(socket),
  );
  const { enrollments } = service.client({ clock });
  const read = enrollments.get('r');
  await skipPause(clock);
  await read;
  await expect(enrollments.update(enrollment, { ifMatch: '*' })).rejects.toMatchObject(error);
  await expect(enrollments.delete('r')).rejects.toMatchObject(error);
  expect(service.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'PUT', 'DELETE']);
});

test('an abort during a pause rejects with the reason and sends nothing more', async () => {
  const clock = new VirtualClock();
  await using service = await startService(() => throttled('5'));
  const stop = new AbortController();
  const done = service.client({ clock }).enrollments.get('r', { signal: stop.signal });
  await vi.waitFor(() => expect(clock.pendingSleeps).toBe(1), { timeout: 20_000, interval: 2 });
  const reason = new Error('enough');
  stop.abort(reason);
  await expect(done).rejects.toBe(reason);
  expect([service.requests.length, clock.pendingSleeps]).toEqual([1, 0]);
});

test('every request has a token of its own, for the host, that lives as long as it was told', async () => {
  const clock = new VirtualClock();
  await using service = await startService(() => found);
  const { enrollments } = service.client({ clock, tokenLifetimeMs: 60_000 });
  await enrollments.get('r');
  await clock.advance(30_000);
  await enrollments.get('r');
  const tokens = service.requests.map(({ headers }) => parseSasToken(headers.authorization ?? ''));
  expect(tokens).toMatchObject([
    { resource: service.host, keyName: 'owner', expiresAtSeconds: 1_700_000_060 },
    { resource: service.host, keyName: 'owner', expiresAtSeconds: 1_700_000_090 },
  ]);
  for (const token of tokens) expect(verifySasSignature(token, policyKey.reveal())).toBe(true);
});
