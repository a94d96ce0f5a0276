/** Fault scripts as functions: which requests a rule hits, what a device then gets, and what a rule must not be. */
import type { FaultEffect, FaultRule } from '@endorse/emulator/core';
import { faultOperations } from '@endorse/emulator/core';
import { splitActivationBlob } from '@endorse/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFaultRule } from '../src/faults/decode-fault-rule.ts';
import { createFaultScript } from '../src/faults/fault-script.ts';
import { coreFixture, keysOf, seededRandom } from './support/core-fixture.ts';
import { matching } from './support/matchers.ts';

const delay: FaultEffect = { kind: 'delay', delayMs: 5 };
const script = (...rules: readonly FaultRule[]) => createFaultScript(rules, seededRandom('faults'));
const register = { carrier: 'http', operation: 'register', device: 'Pump-1' } as const;

test.each<[string, Partial<FaultRule>, boolean]>([
  ['without conditions', {}, true],
  ['for its carrier', { carrier: 'http' }, true],
  ['for another carrier', { carrier: 'amqp' }, false],
  ['for its operation', { operation: 'register' }, true],
  ['for another operation', { operation: 'query-operation' }, false],
  ['for its device, in any case', { device: 'pUMP-1' }, true],
  ['for devices that begin like it', { device: 'pump-*' }, true],
  ['for every device', { device: '*' }, true],
  ['for another device', { device: 'pump' }, false],
])('a rule %s: %o', (_title, conditions, isHit) => {
  expect(script({ ...conditions, fault: delay }).hit(register)).toHaveLength(isHit ? 1 : 0);
});

test('a rule for a device does not hit a request that is about none', () => {
  const request = { carrier: 'http', operation: 'query-enrollments' } as const;
  expect(script({ device: 'pump-1', fault: delay }).hit(request)).toEqual([]);
});

test('a rule lets `after` requests pass, hits `count`, and counts only what it matches', () => {
  fc.assert(
    fc.property(
      fc.nat(5),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      (after, count, requests) => {
        const faults = script({ name: 'rule', device: 'pump-1', after, count, fault: delay });
        const matched = requests.filter(Boolean).length;
        const hits = requests.map(
          (isPump) => faults.hit({ ...register, device: isPump ? 'pump-1' : 'fan-1' }).length,
        );
        const expected = Math.min(count, Math.max(0, matched - after));
        expect(hits.reduce((sum, hit) => sum + hit, 0)).toBe(expected);
        expect(faults.list()).toMatchObject([{ name: 'rule', matched, hits: expected }]);
      },
    ),
    { numRuns: 50 },
  );
});

test('chance is drawn from the emulator’s randomness, and a rule without chance draws nothing', () => {
  const draw = (): boolean[] => {
    const faults = script({ probability: 0.5, fault: delay });
    return Array.from({ length: 64 }, () => faults.hit(register).length > 0);
  };
  expect(draw()).toEqual(draw());
  expect(new Set(draw())).toEqual(new Set([true, false]));
  const untouched = {
    bytes: () => {
      throw new Error('drawn');
    },
  };
  const certain = createFaultScript([{ fault: delay }], untouched);
  expect(certain.hit(register)).toHaveLength(1);
  expect(createFaultScript([{ probability: 0, fault: delay }], seededRandom('x')).hit(register)).toEqual([]);
});

test('rules are added, listed, removed and cleared; names are theirs alone', () => {
  const faults = script({ fault: delay }, { name: 'mine', fault: delay });
  expect(faults.list().map(({ name }) => name)).toEqual(['fault-1', 'mine']);
  expect(faults.add({ fault: delay })).toBe('fault-2');
  expect(() => faults.add({ name: 'mine', fault: delay })).toThrow(/rule\.name.*taken/);
  expect([faults.remove('mine'), faults.remove('mine')]).toEqual([true, false]);
  faults.clear();
  expect([faults.list(), faults.hit(register)]).toEqual([[], []]);
});

test.each<[unknown, string, RegExp]>([
  [7, 'f', /must be an object/],
  [{}, 'f.fault', /must be an object/],
  [{ fault: { kind: 'explode' } }, 'f.fault.kind', /must be one of status, delay, .*expired-certificate/],
  [{ fault: delay, typo: 1 }, 'f.typo', /not known here; there are name, carrier/],
  [{ fault: { ...delay, typo: 1 } }, 'f.fault.typo', /there are kind, delayMs/],
  [{ fault: delay, carrier: 'smtp' }, 'f.carrier', /one of http, amqp, mqtt/],
  [{ fault: delay, operation: 'regster' }, 'f.operation', /one of request-challenge, register/],
  [{ fault: delay, device: '*x' }, 'f.device', /must be text/],
  [{ fault: delay, after: -1 }, 'f.after', /from 0 to/],
  [{ fault: delay, count: 0 }, 'f.count', /from 1 to/],
  [{ fault: delay, count: 1.5 }, 'f.count', /whole number/],
  [{ fault: delay, probability: 1.1 }, 'f.probability', /from 0 to 1/],
  [{ fault: delay, name: 'two words' }, 'f.name', /must be text/],
  [{ fault: { kind: 'status', status: 200 } }, 'f.fault.status', /from 400 to 599/],
  [
    { fault: { kind: 'status', status: 429, retryAfterSeconds: 'soon' } },
    'f.fault.retryAfterSeconds',
    /whole number/,
  ],
  [{ fault: { kind: 'delay', delayMs: 0 } }, 'f.fault.delayMs', /from 1 to 600000/],
  [{ fault: { kind: 'drop' } }, 'f.fault.when', /before-handling, after-handling/],
  [{ fault: { kind: 'truncate', keepBytes: -1 } }, 'f.fault.keepBytes', /from 0/],
  [{ fault: { kind: 'content-type', contentType: 'a\r\nb' } }, 'f.fault.contentType', /must be text/],
  [{ fault: { kind: 'flip-blob', field: 'nonce' } }, 'f.fault.field', /one of idObject/],
  [{ fault: { kind: 'clock-skew', skewMs: NaN } }, 'f.fault.skewMs', /whole number/],
  [{ operation: 'register', fault: { kind: 'expired-certificate' } }, 'f', /TLS handshakes/],
])('%j is refused at %s', (value, where, problem) => {
  expect(() => decodeFaultRule(value, 'f')).toThrow(
    expect.objectContaining({
      argument: where,
      code: matching(/^ERR_(?:INVALID_ARGUMENT|OUT_OF_RANGE)$/),
      message: matching(problem),
    }) as Error,
  );
});

test('every operation of the device API is one that rules may name', () => {
  expect(faultOperations).toEqual(
    expect.arrayContaining(['request-challenge', 'register', 'query-operation', 'look-up-state']),
  );
});

const fields = ['idObject', 'encryptedSecret', 'duplicate', 'encryptedSeed', 'publicArea'] as const;

test.each(fields)('a TPM refuses a challenge with a flipped bit in %s, which is the only one', (field) => {
  const { core, tpm, identity } = coreFixture({}, 'flip');
  const whole = coreFixture({}, 'flip');
  core.faults.add({ count: 1, fault: { kind: 'flip-blob', field } });
  const ask = (each: typeof core) => {
    const { response } = each.answerDevice('http', {
      operation: 'register',
      ...identity,
      ...keysOf(tpm),
      credential: { kind: 'none' },
    });
    if (response?.outcome !== 'challenge') throw new Error('no challenge');
    return response.activationBlob;
  };
  const flipped = ask(core);
  expect(() => tpm.open(flipped)).toThrow();
  const [left, right] = [splitActivationBlob(flipped), splitActivationBlob(ask(whole.core))];
  expect(
    Object.keys(left).filter((part) => !isEqual(left[part as typeof field], right[part as typeof field])),
  ).toEqual([field]);
  expect(tpm.open(ask(core))).toHaveLength(32);
});

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

test('a flipped hub key, an assignment that never comes, and a skewed clock are as told, and over when they are over', async () => {
  const { core, tpm, identity, solveChallenge, events } = coreFixture();
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  const answer = core.answerDevice('amqp', { operation: 'register', ...identity, credential });
  if (answer.response?.outcome !== 'operation') throw new Error('not accepted');
  const { operationId } = answer.response.operation;
  const poll = () =>
    core.answerDevice('amqp', { operation: 'query-operation', ...identity, credential, operationId })
      .response;

  core.faults.add({ operation: 'query-operation', count: 2, fault: { kind: 'stay-assigning' } });
  for (const _twice of [1, 2]) {
    expect(poll()).toEqual({
      outcome: 'operation',
      operation: {
        operationId,
        status: 'assigning',
        registrationState: { registrationId: 'device-1', status: 'assigning' },
      },
      retryAfterSeconds: 0,
    });
  }
  core.faults.add({ count: 1, fault: { kind: 'flip-blob', field: 'duplicate', bit: 0 } });
  const flipped = poll();
  expect(() => tpm.open(keyOf(flipped))).toThrow();
  core.faults.add({ count: 1, fault: { kind: 'clock-skew', skewMs: 3_601_000 } });
  expect(poll()).toMatchObject({
    outcome: 'fault',
    fault: { errorCode: 401_002, reason: matching(/expired 1 s/) },
  });
  expect(tpm.open(keyOf(poll()))).toHaveLength(32);
  expect(events.filter(({ event }) => event === 'fault-injected')).toHaveLength(4);
});

function keyOf(response: unknown): Uint8Array {
  const { operation } = response as {
    operation: { registrationState: { tpm: { authenticationKey: Uint8Array } } };
  };
  return operation.registrationState.tpm.authenticationKey;
}

test('a refusal and a drop before handling leave the core untouched, a drop after it does not', async () => {
  const { core, identity, solveChallenge, events } = coreFixture();
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  const ask = () => core.answerDevice('mqtt', { operation: 'register', ...identity, credential });
  core.faults.add({ count: 1, fault: { kind: 'status', status: 429, retryAfterSeconds: 7 } });
  expect(ask()).toMatchObject({
    response: { outcome: 'fault', fault: { status: 429, errorCode: 429_001, retryAfterSeconds: 7 } },
    delivery: { delayMs: 0, isDropped: false },
  });
  core.faults.add({ count: 1, fault: { kind: 'drop', when: 'before-handling' } });
  expect(ask()).toEqual({ delivery: { delayMs: 0, isDropped: true } });
  expect(events.some(({ event }) => event === 'registration-started')).toBe(false);
  core.faults.add({ count: 1, fault: { kind: 'drop', when: 'after-handling' } });
  expect(ask()).toMatchObject({ response: { outcome: 'operation' }, delivery: { isDropped: true } });
  expect(events.some(({ event }) => event === 'registration-started')).toBe(true);
});

test('faults of different kinds work together, of one kind the first counts', () => {
  const { core, identity } = coreFixture();
  core.faults.add({ fault: { kind: 'delay', delayMs: 10 } });
  core.faults.add({ fault: { kind: 'delay', delayMs: 20 } });
  core.faults.add({ fault: { kind: 'truncate', keepBytes: 3 } });
  core.faults.add({ fault: { kind: 'content-type', contentType: 'text/html' } });
  const answer = core.answerDevice('http', {
    operation: 'look-up-state',
    ...identity,
    credential: { kind: 'none' },
  });
  expect(answer.delivery).toEqual({ delayMs: 10, isDropped: false, truncateTo: 3, contentType: 'text/html' });
});
