/**
 * Any sequence of what a device, an impostor and an operator can do keeps the promises of the device API. Checked
 * against a model that knows only who proved what: the key inside the last challenge, and whether an operation is due.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CoreFixture } from './support/core-fixture.ts';
import { coreFixture, expectOutcome, keysOf } from './support/core-fixture.ts';
import { deviceToken, sas, softwareTpm } from './support/software-tpm.ts';

const durationMs = 1000;

type Step =
  | { readonly do: 'challenge'; readonly as: 'device' | 'impostor' }
  | { readonly do: 'register'; readonly with: 'current' | 'previous' | 'guessed' }
  | { readonly do: 'poll'; readonly with: 'current' | 'previous' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'disable' | 'enable' | 'delete' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('challenge' as const),
      as: fc.constantFrom('device', 'impostor'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('register' as const),
      with: fc.constantFrom('current', 'previous', 'guessed'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('poll' as const), with: fc.constantFrom('current', 'previous') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 1500 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('disable', 'enable', 'delete') }) },
);

/** What the test knows; the core is not asked. */
interface Model {
  enrolled: boolean;
  disabled: boolean;
  /** Keys the device got out of its challenges, the last one last. */
  keys: Uint8Array[];
  /** True when the last challenge was made for the keys the device has. */
  current: boolean;
  running: { readonly operationId: string; readonly dueAt: number } | undefined;
}

test('a registration is answered only to who holds the last key, and every operation is assigned once and on time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const fixture = coreFixture({ assigningDurationMs: durationMs });
      const model: Model = { enrolled: true, disabled: false, keys: [], current: false, running: undefined };
      for (const each of steps) await take(fixture, model, each);
      const assigned = fixture.events.flatMap((each) =>
        each.event === 'device-assigned' ? [each.operationId] : [],
      );
      const started = fixture.events.flatMap((each) =>
        each.event === 'registration-started' ? [each.operationId] : [],
      );
      expect(new Set(assigned).size).toBe(assigned.length);
      expect(started).toEqual(expect.arrayContaining(assigned));
    }),
    { numRuns: 60 },
  );
});

async function take(fixture: CoreFixture, model: Model, next: Step): Promise<void> {
  switch (next.do) {
    case 'challenge':
      return challenge(fixture, model, next.as);
    case 'register':
      return register(fixture, model, next.with);
    case 'poll':
      return poll(fixture, model, next.with);
    case 'wait':
      return fixture.clock.advance(next.ms);
    case 'disable':
    case 'enable':
      return enroll(fixture, model, next.do === 'disable' ? 'disabled' : 'enabled');
    case 'delete':
      return remove(fixture, model);
    default:
      return next satisfies never;
  }
}

function enroll(
  { core, identity, tpm }: CoreFixture,
  model: Model,
  provisioningStatus: 'enabled' | 'disabled',
): void {
  core.createTpmEnrollment({ ...identity, endorsementKey: tpm.endorsementKey, provisioningStatus });
  model.enrolled = true;
  model.disabled = provisioningStatus === 'disabled';
}

async function remove({ core, clock, identity }: CoreFixture, model: Model): Promise<void> {
  const [policy] = core.policies;
  const key = policy.primaryKey.reveal();
  const token = await sas({
    resource: 'localhost',
    key,
    keyName: policy.name,
    expiresAt: clock.now() + 1000,
  });
  const response = core.enrollments.handle({ kind: 'delete-enrollment', ...identity, token });
  expect(response).toMatchObject(model.enrolled ? { outcome: 'deleted' } : notEnrolled);
  Object.assign(model, { enrolled: false, current: false, running: undefined });
}

const notEnrolled = { outcome: 'fault', fault: { errorCode: 404_201 } };

/** An impostor knows the public EK and asks with an SRK of its own. */
function challenge({ core, identity, tpm }: CoreFixture, model: Model, as: 'device' | 'impostor'): void {
  const impostor = softwareTpm(1);
  const storageRootKey = as === 'device' ? tpm.storageRootKey : impostor.storageRootKey;
  const response = core.requestChallenge({ ...identity, ...keysOf(tpm), storageRootKey });
  if (!model.enrolled) {
    expect(response).toMatchObject(notEnrolled);
    return;
  }
  const { activationBlob } = expectOutcome(response, 'challenge');
  expect(() => impostor.open(activationBlob)).toThrow();
  model.current = as === 'device';
  if (as === 'device') model.keys.push(tpm.open(activationBlob));
  else expect(() => tpm.open(activationBlob)).toThrow();
}

/** A token under the last key, the one before it, or any other; good only under the key of the last challenge. */
async function credentialOf(
  { identity, clock }: CoreFixture,
  model: Model,
  which: 'current' | 'previous' | 'guessed',
) {
  const guess = Buffer.alloc(32, 1);
  const key = which === 'guessed' ? guess : (model.keys.at(which === 'current' ? -1 : -2) ?? guess);
  const token = await deviceToken({ ...identity, key, expiresAt: clock.now() + 60_000 });
  const good = which === 'current' && model.current;
  return { credential: { kind: 'token', token } as const, good };
}

async function register(
  fixture: CoreFixture,
  model: Model,
  which: 'current' | 'previous' | 'guessed',
): Promise<void> {
  const { core, clock, identity } = fixture;
  const { credential, good } = await credentialOf(fixture, model, which);
  const response = core.register({ ...identity, credential });
  if (!good || !model.enrolled) {
    expect(response).toMatchObject(model.enrolled ? { fault: { errorCode: 401_002 } } : notEnrolled);
    return;
  }
  const { operation } = expectOutcome(response, 'operation');
  if (model.disabled) {
    expect(operation).toMatchObject({ operationId: '', status: 'disabled' });
    return;
  }
  expect(operation.status).toBe('assigning');
  const stillRunning = model.running !== undefined && clock.now() < model.running.dueAt;
  if (stillRunning) expect(operation.operationId).toBe(model.running?.operationId);
  else model.running = { operationId: operation.operationId, dueAt: clock.now() + durationMs };
}

async function poll(fixture: CoreFixture, model: Model, which: 'current' | 'previous'): Promise<void> {
  const { core, clock, identity, tpm } = fixture;
  const { credential, good } = await credentialOf(fixture, model, which);
  const operationId = model.running?.operationId ?? '5.0123456789abcdef.none';
  const response = core.queryOperation({ ...identity, credential, operationId });
  if (!good || !model.enrolled) {
    expect(response).toMatchObject(model.enrolled ? { fault: { errorCode: 401_002 } } : notEnrolled);
  } else if (model.running === undefined) {
    expect(response).toMatchObject({ fault: { errorCode: 404_202 } });
  } else if (clock.now() < model.running.dueAt) {
    expect(response).toMatchObject({ operation: { status: 'assigning' } });
  } else {
    const { operation } = expectOutcome(response, 'operation');
    expect(operation.status).toBe('assigned');
    const { authenticationKey = new Uint8Array() } = operation.registrationState?.tpm ?? {};
    expect(tpm.open(authenticationKey)).toHaveLength(32);
  }
}
