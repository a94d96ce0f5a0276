/**
 * The device API against a TPM whose keys live in OpenSSL and whose blobs are opened by the software counterparts of
 * `@endorse/tpm2`, which are tested against swtpm. Outcomes are those that users of the real service report: error codes,
 * the empty operation id of a disabled enrollment, the state that polls carry.
 */
import { expect, test } from 'vitest';
import { parseOperationId, splitActivationBlob } from '@endorse/protocol';
import { coreFixture, expectOutcome, keysOf } from './support/core-fixture.ts';
import { sas } from './support/software-tpm.ts';
import { anyString } from './support/matchers.ts';

const expiresAt = 4_000_000_000_000;

test('a TPM registers: challenge, token, operation, assignment with a second key', async () => {
  const { core, tpm, identity, solveChallenge, clock, events } = coreFixture();
  const token = await solveChallenge();
  const credential = { kind: 'token', token } as const;

  const accepted = expectOutcome(core.register({ ...identity, credential, ...keysOf(tpm) }), 'operation');
  expect(accepted.operation).toEqual({ operationId: anyString, status: 'assigning' });
  expect(accepted.retryAfterSeconds).toBe(0);
  expect(parseOperationId(accepted.operation.operationId)).toBeDefined();

  const { operationId } = accepted.operation;
  const { operation } = expectOutcome(
    core.queryOperation({ ...identity, credential, operationId }),
    'operation',
  );
  expect(operation).toMatchObject({
    operationId,
    status: 'assigned',
    registrationState: {
      registrationId: 'device-1',
      status: 'assigned',
      substatus: 'initialAssignment',
      assignedHub: 'hub.endorse.test',
      deviceId: 'device-1',
      createdDateTimeUtc: '2023-11-14T22:13:20.0000000Z',
      lastUpdatedDateTimeUtc: '2023-11-14T22:13:20.0000000Z',
    },
  });
  const etag = Buffer.from(operation.registrationState?.etag ?? '', 'base64').toString();
  expect(etag).toMatch(/^"[0-9a-f]{8}-0000-0300-0000-[0-9a-f]{12}"$/);

  const hubKey = tpm.open(operation.registrationState?.tpm?.authenticationKey ?? new Uint8Array());
  const hubToken = await sas({ resource: 'hub.endorse.test/devices/device-1', key: hubKey, expiresAt });
  const event = { deviceId: 'device-1', token: hubToken, body: Buffer.from('{}') };
  expect(core.hubs[0]?.acceptEvent(event)).toBeUndefined();
  expect(core.telemetry).toHaveLength(1);
  expect(events.map(({ event: name }) => name)).toEqual([
    'enrollment-written',
    'challenge-issued',
    'registration-started',
    'device-assigned',
    'telemetry-received',
  ]);
  expect(events.every(({ at }) => at === clock.now())).toBe(true);
});

test('a challenge is made of six parts with the sizes seen of the service', () => {
  const { core, identity, tpm } = coreFixture();
  const { activationBlob, keyName } = expectOutcome(
    core.requestChallenge({ ...identity, ...keysOf(tpm) }),
    'challenge',
  );
  expect(keyName).toBe('registration');
  const { encryptedUri, ...parts } = splitActivationBlob(activationBlob);
  expect(Object.values(parts).map(({ byteLength }) => byteLength)).toEqual([52, 256, 142, 256, 48]);
  expect(encryptedUri.byteLength).toBeLessThanOrEqual(174);
});

test('a run with the same random port gives the same blobs and ids', () => {
  const blobs = ['a', 'a', 'b'].map((seed) => {
    const { core, identity, tpm } = coreFixture({}, seed);
    const { activationBlob } = expectOutcome(
      core.requestChallenge({ ...identity, ...keysOf(tpm) }),
      'challenge',
    );
    return Buffer.from(activationBlob).toString('hex');
  });
  expect(blobs[0]).toBe(blobs[1]);
  expect(blobs[0]).not.toBe(blobs[2]);
});

test('register without a token answers a TPM with a challenge', () => {
  const { core, identity, tpm } = coreFixture();
  const request = { ...identity, ...keysOf(tpm), credential: { kind: 'none' } } as const;
  expect(core.register(request).outcome).toBe('challenge');
  expect(core.handleDeviceRequest({ operation: 'register', ...request }).outcome).toBe('challenge');
});

test('the second register may leave the TPM keys out', async () => {
  const { core, identity, solveChallenge } = coreFixture();
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  expect(core.register({ ...identity, credential })).toMatchObject({ operation: { status: 'assigning' } });
});

test('a device without an SRK of its own is served with the enrolled one', () => {
  const { core, identity, tpm } = coreFixture();
  const { endorsementKey, storageRootKey } = tpm;
  expect(core.requestChallenge({ ...identity, endorsementKey })).toMatchObject({
    fault: { errorCode: 400_004 },
  });
  core.createTpmEnrollment({ ...identity, endorsementKey, storageRootKey });
  const { activationBlob } = expectOutcome(
    core.requestChallenge({ ...identity, endorsementKey }),
    'challenge',
  );
  expect(tpm.open(activationBlob)).toHaveLength(32);
});

test('while an operation runs, polls carry the registration id and the pause', async () => {
  const { core, identity, clock, solveChallenge } = coreFixture({
    assigningDurationMs: 5000,
    retryAfterSeconds: 3,
  });
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  const { operationId } = expectOutcome(core.register({ ...identity, credential }), 'operation').operation;
  await clock.advance(4999);
  const running = expectOutcome(core.queryOperation({ ...identity, credential, operationId }), 'operation');
  expect(running).toEqual({
    outcome: 'operation',
    operation: {
      operationId,
      status: 'assigning',
      registrationState: { registrationId: 'device-1', status: 'assigning' },
    },
    retryAfterSeconds: 3,
  });
  expect(core.lookUpState({ ...identity, credential })).toMatchObject({ state: { status: 'assigning' } });
  await clock.advance(1);
  const done = expectOutcome(core.queryOperation({ ...identity, credential, operationId }), 'operation');
  expect(done.operation.status).toBe('assigned');
  expect(done.retryAfterSeconds).toBeUndefined();
});

test('a repeated register joins the running operation, a later one starts anew and replaces the hub key', async () => {
  const { core, identity, clock, tpm, solveChallenge } = coreFixture({ assigningDurationMs: 1000 });
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  const begin = (): string =>
    expectOutcome(core.register({ ...identity, credential }), 'operation').operation.operationId;
  const hubKeyOf = (operationId: string): Uint8Array => {
    const { operation } = expectOutcome(
      core.queryOperation({ ...identity, credential, operationId }),
      'operation',
    );
    return tpm.open(operation.registrationState?.tpm?.authenticationKey ?? new Uint8Array());
  };
  const first = begin();
  expect(begin()).toBe(first);
  await clock.advance(1000);
  const oldKey = hubKeyOf(first);
  expect(Buffer.from(hubKeyOf(first))).toEqual(Buffer.from(oldKey));
  const second = begin();
  expect(second).not.toBe(first);
  expect(second.split('.')[1]).toBe(first.split('.')[1]);
  await clock.advance(1000);
  const newKey = hubKeyOf(second);

  const send = async (key: Uint8Array): Promise<number | undefined> => {
    const token = await sas({ resource: 'hub.endorse.test/devices/device-1', key, expiresAt });
    return core.hubs[0]?.acceptEvent({ deviceId: 'device-1', token, body: new Uint8Array() })?.status;
  };
  expect(await send(oldKey)).toBe(401);
  expect(await send(newKey)).toBeUndefined();
});

test('the last eight operations stay askable', async () => {
  const { core, identity, solveChallenge } = coreFixture();
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  const ids = Array.from({ length: 9 }, () => {
    const { operationId } = expectOutcome(core.register({ ...identity, credential }), 'operation').operation;
    core.queryOperation({ ...identity, credential, operationId });
    return operationId;
  });
  const outcomes = ids.map(
    (operationId) => core.queryOperation({ ...identity, credential, operationId }).outcome,
  );
  expect(outcomes).toEqual(['fault', ...Array.from({ length: 8 }, () => 'operation')]);
});

test('an allocation may pick the hub and send a payload back', async () => {
  const { core, identity, solveChallenge } = coreFixture({
    hubs: [
      { name: 'one', hostName: 'one.test' },
      { name: 'two', hostName: 'two.test:8443' },
    ],
    allocate: ({ payload, linkedHubs }) => ({
      iotHubHostName: linkedHubs[1] ?? '',
      payload: { echo: payload ?? null },
    }),
  });
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  const begun = expectOutcome(core.register({ ...identity, credential, payload: { model: 7 } }), 'operation');
  const { operationId } = begun.operation;
  expect(core.queryOperation({ ...identity, credential, operationId })).toMatchObject({
    operation: { registrationState: { assignedHub: 'two.test:8443', payload: { echo: { model: 7 } } } },
  });
});

test.each([
  ['names a hub that is not linked', () => ({ iotHubHostName: 'elsewhere.test' }), 400_208],
  [
    'throws',
    () => {
      throw new Error('no idea');
    },
    400_207,
  ],
  ['refuses', () => ({ errorCode: 400_209, errorMessage: 'hub said no' }), 400_209],
] as const)('an allocation that %s fails the operation with %s', async (_title, allocate, errorCode) => {
  const { core, identity, events, solveChallenge } = coreFixture({ allocate });
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  const { operationId } = expectOutcome(core.register({ ...identity, credential }), 'operation').operation;
  const { operation } = expectOutcome(
    core.queryOperation({ ...identity, credential, operationId }),
    'operation',
  );
  expect(operation).toMatchObject({ status: 'failed', registrationState: { status: 'failed', errorCode } });
  expect(operation.registrationState).not.toHaveProperty('tpm');
  expect(events.at(-1)).toMatchObject({ event: 'registration-failed', errorCode });
});

test('the state look-up never carries a key', async () => {
  const { core, identity, solveChallenge } = coreFixture();
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  expect(core.lookUpState({ ...identity, credential })).toMatchObject({ state: { status: 'unassigned' } });
  core.register({ ...identity, credential });
  const { state } = expectOutcome(core.lookUpState({ ...identity, credential }), 'state');
  expect(state.status).toBe('assigned');
  expect(state).not.toHaveProperty('tpm');
});

test('an event listener that throws changes nothing', async () => {
  const { core, identity, solveChallenge } = coreFixture({
    onEvent: () => {
      throw new Error('listener');
    },
  });
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  expect(core.register({ ...identity, credential }).outcome).toBe('operation');
});

test.each([
  ['idScope', { idScope: 'not ok' }],
  ['policies', { policies: [] }],
  ['retryAfterSeconds', { retryAfterSeconds: -1 }],
  ['assigningDurationMs', { assigningDurationMs: Number.NaN }],
  ['maxTelemetryMessages', { maxTelemetryMessages: 0 }],
])('an unusable %s is refused at once', (name, options) => {
  expect(() => coreFixture(options)).toThrow(expect.objectContaining({ argument: `options.${name}` }));
});
