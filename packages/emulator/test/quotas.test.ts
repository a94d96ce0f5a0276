/** Quotas. Oracle: the limits the service documents, 1,000 a minute and 5 status requests in ten seconds. */
import { serviceQuotas } from '@endorse/emulator';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket } from '../src/core/token-bucket.ts';
import { expectOutcome } from './support/core-fixture.ts';
import { handlerFixture } from './support/handler-fixture.ts';

test('requests to the service API above their quota get 429, the pause, and are served after it', async () => {
  const { call, clock, events } = handlerFixture({ quotas: { operationsPerMinute: 3 } });
  const get = () => call({ target: '/enrollments/device-1' });
  expect([(await get()).status, (await get()).status]).toEqual([200, 200]);
  expect((await call({ method: 'POST', target: '/enrollments/query', body: {} })).status).toBe(200);
  const refused = await get();
  expect(refused).toMatchObject({
    status: 429,
    headers: { 'retry-after': '20', 'x-ms-error-code': '429000' },
    json: { errorCode: 429_000, message: 'Too many requests' },
  });
  expect(events.at(-1)).toMatchObject({ event: 'request-refused', status: 429 });
  await clock.advance(19_000);
  expect((await get()).headers['retry-after']).toBe('1');
  await clock.advance(1000);
  expect((await get()).status).toBe(200);
});

test('registrations and status requests have quotas of their own, challenges and what this process does have none', async () => {
  const { core, identity, solveChallenge, clock } = handlerFixture({
    quotas: { registrationsPerMinute: 2, pollsPerTenSeconds: 2, operationsPerMinute: 1 },
  });
  await solveChallenge();
  await solveChallenge();
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  const register = () => core.register({ ...identity, credential });
  const { operation } = expectOutcome(register(), 'operation');
  expectOutcome(register(), 'operation');
  expect(expectOutcome(register(), 'fault').fault).toMatchObject({ status: 429, retryAfterSeconds: 30 });
  const poll = (registrationId = identity.registrationId) =>
    core.queryOperation({ ...identity, registrationId, credential, operationId: operation.operationId });
  expectOutcome(poll(), 'operation');
  expectOutcome(poll('DEVICE-1'), 'operation');
  expect(expectOutcome(poll(), 'fault').fault).toMatchObject({ status: 429, retryAfterSeconds: 5 });
  // Another device is not refused for this one.
  expect(expectOutcome(poll('device-2'), 'fault').fault.status).not.toBe(429);
  await clock.advance(10_000);
  expectOutcome(poll(), 'operation');
  for (let index = 0; index < 3; index += 1)
    core.createSymmetricKeyEnrollment({ registrationId: `s-${index}` });
});

test('those of the service can be had by name, and an unusable one is refused', () => {
  expect(serviceQuotas).toEqual({
    operationsPerMinute: 1000,
    registrationsPerMinute: 1000,
    pollsPerTenSeconds: 5,
    maxEnrollments: 1_000_000,
    maxRegistrations: 1_000_000,
    maxX509EnrollmentGroups: 100,
    maxSymmetricKeyEnrollmentGroups: 100,
    maxCaCertificates: 25,
  });
  const { core } = handlerFixture({ quotas: serviceQuotas });
  expect(core.idScope).toBe('0ne00000000');
  for (const rate of [0, 1.5, -1, Number.NaN]) {
    expect(() => handlerFixture({ quotas: { pollsPerTenSeconds: rate } })).toThrow(
      'options.quotas.pollsPerTenSeconds',
    );
    expect(() => handlerFixture({ quotas: { maxCaCertificates: rate } })).toThrow(
      'options.quotas.maxCaCertificates',
    );
  }
});

test('a bucket never gives more than its capacity and what refilled meanwhile, and after the wait it names it gives', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: -50, max: 500 }), { maxLength: 200 }),
      (capacity, steps) => {
        const periodMs = 1000;
        const bucket = new TokenBucket(capacity, periodMs, 0);
        let now = 0;
        let elapsedMs = 0;
        let taken = 0;
        for (const step of steps) {
          now += step;
          elapsedMs += Math.max(0, step);
          const waitMs = bucket.take(now);
          if (waitMs === 0) taken += 1;
          expect(taken).toBeLessThanOrEqual(capacity + (elapsedMs * capacity) / periodMs + 1e-6);
          if (waitMs > 0) {
            now += waitMs;
            elapsedMs += waitMs;
            expect(bucket.take(now)).toBe(0);
            taken += 1;
          }
        }
      },
    ),
  );
});
