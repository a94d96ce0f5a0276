/**
 * Whom the device API refuses, and how: by token, by key, by name. The codes are those that users of the real service
 * report: 401002, 404201, 400004, and the empty operation id of a disabled enrollment.
 */
import { expect, test } from 'vitest';
import { coreFixture, expectOutcome, keysOf } from './support/core-fixture.ts';
import { deviceToken, softwareTpm } from './support/software-tpm.ts';
test('only the TPM whose EK and SRK were given can open the challenge', () => {
  const { core, identity, tpm } = coreFixture();
  const other = softwareTpm(1);
  const { activationBlob } = expectOutcome(
    core.requestChallenge({ ...identity, ...keysOf(tpm) }),
    'challenge',
  );
  expect(tpm.open(activationBlob)).toHaveLength(32);
  expect(() => other.open(activationBlob)).toThrow(/ActivateCredential/);

  const mixed = { ...identity, endorsementKey: tpm.endorsementKey, storageRootKey: other.storageRootKey };
  const stolen = expectOutcome(core.requestChallenge(mixed), 'challenge');
  expect(() => tpm.open(stolen.activationBlob)).toThrow(/INTEGRITY/);
  expect(() => other.open(stolen.activationBlob)).toThrow(/ActivateCredential/);
});

test('a token for an older challenge is refused, not answered with a new challenge', async () => {
  const { core, identity, tpm, solveChallenge } = coreFixture();
  const stale = await solveChallenge();
  const fresh = await solveChallenge();
  const register = (token: string): unknown =>
    core.register({ ...identity, ...keysOf(tpm), credential: { kind: 'token', token } });
  expect(register(stale)).toMatchObject({ outcome: 'fault', fault: { status: 401, errorCode: 401_002 } });
  expect(register(fresh)).toMatchObject({ outcome: 'operation' });
});

test('a challenge belongs to its scope and registration id', async () => {
  const { core, clock, tpm, identity } = coreFixture();
  const twin = { idScope: identity.idScope, registrationId: 'device-2' };
  core.createTpmEnrollment({ ...twin, endorsementKey: tpm.endorsementKey });
  const { activationBlob } = expectOutcome(
    core.requestChallenge({ ...identity, ...keysOf(tpm) }),
    'challenge',
  );
  core.requestChallenge({ ...twin, ...keysOf(tpm) });
  const token = await deviceToken({ ...twin, key: tpm.open(activationBlob), expiresAt: clock.now() + 1000 });
  const credential = { kind: 'token', token } as const;
  expect(core.register({ ...twin, credential })).toMatchObject({ fault: { errorCode: 401_002 } });
});

test('a disabled enrollment is told apart only from a device that proved itself', async () => {
  const { core, identity, tpm, solveChallenge } = coreFixture();
  core.createTpmEnrollment({
    ...identity,
    endorsementKey: tpm.endorsementKey,
    provisioningStatus: 'disabled',
  });
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  expect(core.register({ ...identity, credential })).toEqual({
    outcome: 'operation',
    operation: {
      operationId: '',
      status: 'disabled',
      registrationState: { registrationId: 'device-1', status: 'disabled' },
    },
  });
});

test.each([
  ['another key', async () => softwareTpm().storageRootKey.slice(0, 32), {}],
  ['an expiry that has passed', undefined, { lifetimeMs: 0 }],
  ['another resource', undefined, { registrationId: 'device-2' }],
  ['another key name', undefined, { keyName: 'other' }],
] as const)('a token with %s is refused with 401002', async (_title, otherKey, change) => {
  const { core, clock, tpm, identity } = coreFixture();
  const { activationBlob } = expectOutcome(
    core.requestChallenge({ ...identity, ...keysOf(tpm) }),
    'challenge',
  );
  const { lifetimeMs = 1000, ...fields } = change as { lifetimeMs?: number };
  const token = await deviceToken({
    ...identity,
    key: (await otherKey?.()) ?? tpm.open(activationBlob),
    expiresAt: clock.now() + lifetimeMs,
    ...fields,
  });
  const credential = { kind: 'token', token } as const;
  for (const answer of [
    core.register({ ...identity, credential }),
    core.queryOperation({ ...identity, credential, operationId: 'any' }),
    core.lookUpState({ ...identity, credential }),
  ]) {
    expect(answer).toMatchObject({
      outcome: 'fault',
      fault: { status: 401, errorCode: 401_002, message: 'Unauthorized' },
    });
  }
});

test('a token expires by the clock of the service, so that a device whose clock lags is refused', async () => {
  const { core, identity, clock, solveChallenge } = coreFixture();
  const credential = { kind: 'token', token: await solveChallenge(10_000) } as const;
  await clock.advance(9_999);
  expect(core.register({ ...identity, credential }).outcome).toBe('operation');
  await clock.advance(1);
  expect(core.register({ ...identity, credential })).toMatchObject({ fault: { errorCode: 401_002 } });
});

test.each(['percent', 'raw'] as const)('the resource of a token may be written %s', async (encoding) => {
  const { core, identity, clock, tpm } = coreFixture();
  const { activationBlob } = expectOutcome(
    core.requestChallenge({ ...identity, ...keysOf(tpm) }),
    'challenge',
  );
  const key = tpm.open(activationBlob);
  const token = await deviceToken({ ...identity, key, expiresAt: clock.now() + 1000, encoding });
  expect(core.register({ ...identity, credential: { kind: 'token', token } }).outcome).toBe('operation');
});

test('a token and a path in another case name the same device', async () => {
  const { core, clock, tpm, identity } = coreFixture();
  const shouted = { idScope: identity.idScope.toUpperCase(), registrationId: 'DEVICE-1' };
  const { activationBlob } = expectOutcome(
    core.requestChallenge({ ...shouted, ...keysOf(tpm) }),
    'challenge',
  );
  const key = tpm.open(activationBlob);
  const token = await deviceToken({
    ...shouted,
    key,
    expiresAt: clock.now() + 1000,
    keyName: 'Registration',
  });
  const accepted = core.register({ ...identity, credential: { kind: 'token', token } });
  expect(accepted.outcome).toBe('operation');
});

test.each([
  ['an unknown registration id', { registrationId: 'device-9' }, 404_201],
  ['another ID scope', { idScope: '0neOther' }, 404_000],
  ['an unusable registration id', { registrationId: 'a b' }, 400_000],
  ['another endorsement key', { endorsementKey: softwareTpm(1).endorsementKey }, 400_004],
  ['a storage root key that is none', { storageRootKey: Uint8Array.of(0, 1, 2) }, 400_004],
  ['neither token nor keys', { endorsementKey: undefined }, 401_002],
] as const)('a challenge for %s is refused', (_title, change, errorCode) => {
  const { core, identity, tpm, events } = coreFixture();
  const { endorsementKey, ...rest } = { ...identity, ...keysOf(tpm), ...change };
  const response = core.requestChallenge({ ...rest, ...(endorsementKey && { endorsementKey }) });
  expect(response).toMatchObject({ fault: { errorCode, status: Math.floor(errorCode / 1000) } });
  expect(events.at(-1)).toMatchObject({
    event: 'request-refused',
    operation: 'request-challenge',
    errorCode,
  });
});

test('an endorsement key that is repeated wrongly is refused even with a good token', async () => {
  const { core, identity, solveChallenge } = coreFixture();
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  const { endorsementKey } = softwareTpm(1);
  expect(core.register({ ...identity, credential, endorsementKey })).toMatchObject({
    fault: { errorCode: 400_004 },
  });
});

test('an operation nobody started is not found', async () => {
  const { core, identity, solveChallenge } = coreFixture();
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  const response = core.queryOperation({ ...identity, credential, operationId: '5.0.none' });
  expect(response).toMatchObject({ fault: { status: 404, errorCode: 404_202 } });
});

/** The public area with one byte changed. */
function altered(tpm2bPublic: Uint8Array, at: number, by: number): Uint8Array {
  const copy = Uint8Array.from(tpm2bPublic);
  copy[at] = (copy[at] ?? 0) ^ by;
  return copy;
}

test('a storage key with a cipher that nobody can compute with is refused, at enrollment and after', () => {
  const { core, identity, tpm } = coreFixture();
  // TPM_ALG_AES (0x0006) becomes TPM_ALG_TDES (0x0003), which decodes.
  const endorsementKey = altered(tpm.endorsementKey, 45, 0x05);
  const storageRootKey = altered(tpm.storageRootKey, 13, 0x05);
  expect(() => core.createTpmEnrollment({ ...identity, endorsementKey })).toThrow(
    /Endorsement key is invalid/,
  );
  expect(() => core.createTpmEnrollment({ ...identity, ...keysOf(tpm), storageRootKey })).toThrow(
    /Storage root key/,
  );
  const response = core.requestChallenge({ ...identity, ...keysOf(tpm), storageRootKey });
  expect(response).toMatchObject({ fault: { errorCode: 400_004, message: 'Storage root key is invalid.' } });
});

test('a public area with any byte of its header changed is refused or served, never an exception', () => {
  const { core, identity, tpm } = coreFixture();
  const bits = [1, 2, 4, 8, 16, 32, 64, 128, 255];
  const outcomes = ['endorsementKey', 'storageRootKey'].flatMap((name) => {
    const keys = keysOf(tpm);
    const key = name === 'endorsementKey' ? keys.endorsementKey : keys.storageRootKey;
    const offsets = Array.from({ length: key.byteLength - 256 }, (_, at) => at);
    return offsets.flatMap((at) =>
      bits.map((by) => {
        const changed = { ...keys, [name]: altered(key, at, by) };
        try {
          core.createTpmEnrollment({ ...identity, endorsementKey: changed.endorsementKey });
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
        }
        return core.requestChallenge({ ...identity, ...changed }).outcome;
      }),
    );
  });
  expect(new Set(outcomes)).toEqual(new Set(['challenge', 'fault']));
});
