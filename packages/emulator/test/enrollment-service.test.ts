/**
 * The service API: version rules, defaults, rights. Tokens are the shared access signatures of the documentation
 * ("Security tokens"), whose vectors `@endorse/protocol` checks; the codes are those users of the service report.
 */
import { Secret } from '@endorse/interface';
import type { AccessRight } from '@endorse/emulator/core';
import { accessRights } from '@endorse/emulator/core';
import type { IndividualEnrollment } from '@endorse/protocol';
import { expect, test } from 'vitest';
import { coreFixture, expectOutcome, keysOf } from './support/core-fixture.ts';
import { enrollment, serviceFixture } from './support/service-fixture.ts';
import { deviceToken, softwareTpm } from './support/software-tpm.ts';
import { containing, matching } from './support/matchers.ts';

const put = (change: Partial<IndividualEnrollment> = {}, ifMatch?: string) => ({
  kind: 'put-enrollment' as const,
  registrationId: 'device-2',
  ifMatch,
  readEnrollment: () => enrollment(change),
});

test('a new enrollment comes back with defaults, times and a quoted etag', async () => {
  const { call } = serviceFixture();
  const created = expectOutcome(
    await call(put({ deviceId: 'Dev.2', optionalDeviceInformation: { room: 4 } })),
    'enrollment',
  );
  expect(created.enrollment).toMatchObject({
    registrationId: 'device-2',
    deviceId: 'Dev.2',
    attestation: { type: 'tpm', endorsementKey: softwareTpm().endorsementKey },
    capabilities: { iotEdge: false },
    allocationPolicy: 'hashed',
    reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: true },
    provisioningStatus: 'enabled',
    optionalDeviceInformation: { room: 4 },
    etag: matching(/^"[0-9a-f]{8}-0000-0300-0000-[0-9a-f]{12}"$/),
    createdDateTimeUtc: '2023-11-14T22:13:20.0000000Z',
    lastUpdatedDateTimeUtc: '2023-11-14T22:13:20.0000000Z',
  });
  const read = expectOutcome(await call({ registrationId: 'DEVICE-2' }), 'enrollment');
  expect(read.enrollment).toEqual(created.enrollment);
});

test('without If-Match an enrollment is only created, with it only replaced', async () => {
  const { call, clock } = serviceFixture();
  expect(await call(put({}, '*'))).toMatchObject({ fault: { status: 412 } });
  const first = expectOutcome(await call(put()), 'enrollment').enrollment;
  expect(await call(put())).toMatchObject({ fault: { status: 409 } });
  expect(await call(put({}, '"other"'))).toMatchObject({ fault: { status: 412 } });
  await clock.advance(1000);
  const bare = String(first.etag).replaceAll('"', '');
  for (const ifMatch of [`W/"${bare}"`, '*']) {
    const replaced = expectOutcome(await call(put({}, ifMatch)), 'enrollment').enrollment;
    expect(replaced.etag).not.toBe(first.etag);
    expect(replaced.createdDateTimeUtc).toBe(first.createdDateTimeUtc);
    expect(replaced.lastUpdatedDateTimeUtc).toBe('2023-11-14T22:13:21.0000000Z');
  }
});

test('a delete is unconditional without If-Match and checks it otherwise', async () => {
  const { call, core } = serviceFixture();
  const remove = { kind: 'delete-enrollment', registrationId: 'device-1' } as const;
  expect(await call({ ...remove, ifMatch: '"other"' })).toMatchObject({ fault: { status: 412 } });
  expect(await call(remove)).toEqual({ outcome: 'deleted' });
  expect(await call(remove)).toMatchObject({ fault: { errorCode: 404_201 } });
  expect(core.requestChallenge({ idScope: core.idScope, registrationId: 'device-1' })).toMatchObject({
    fault: { errorCode: 404_201 },
  });
});

test('another endorsement key voids the challenge of the one before', async () => {
  const { core, identity, solveChallenge } = coreFixture();
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  core.createTpmEnrollment({ ...identity, endorsementKey: softwareTpm(1).endorsementKey });
  expect(core.register({ ...identity, credential })).toMatchObject({ fault: { errorCode: 401_002 } });
});

test('replacing an enrollment with the same key leaves a registration under way alone', async () => {
  const { core, identity, tpm, solveChallenge } = coreFixture();
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  core.createTpmEnrollment({ ...identity, endorsementKey: tpm.endorsementKey, deviceId: 'renamed' });
  const { operationId } = expectOutcome(core.register({ ...identity, credential }), 'operation').operation;
  expect(core.queryOperation({ ...identity, credential, operationId })).toMatchObject({
    operation: { registrationState: { deviceId: 'renamed' } },
  });
});

test('an enrollment tells the registration state, a due operation included, but no key', async () => {
  const { core, call, clock } = serviceFixture({ assigningDurationMs: 1000 });
  const identity = { idScope: core.idScope, registrationId: 'device-1' };
  const tpm = softwareTpm();
  const challenge = expectOutcome(core.requestChallenge({ ...identity, ...keysOf(tpm) }), 'challenge');
  const key = tpm.open(challenge.activationBlob);
  const token = await deviceToken({ ...identity, key, expiresAt: clock.now() + 60_000 });
  core.register({ ...identity, credential: { kind: 'token', token } });
  expect(expectOutcome(await call({}), 'enrollment').enrollment).not.toHaveProperty('registrationState');
  expect(await call({ kind: 'get-registration' })).toMatchObject({ fault: { errorCode: 404_202 } });
  await clock.advance(1000);
  const { registrationState } = expectOutcome(await call({}), 'enrollment').enrollment;
  expect(registrationState).toMatchObject({ status: 'assigned', deviceId: 'device-1' });
  expect(registrationState).not.toHaveProperty('tpm');
  expect(await call({ kind: 'get-registration' })).toEqual({
    outcome: 'registration',
    state: registrationState,
  });

  const remove = { kind: 'delete-registration' } as const;
  expect(await call({ ...remove, ifMatch: '"other"' })).toMatchObject({ fault: { status: 412 } });
  expect(await call({ ...remove, ifMatch: registrationState?.etag })).toEqual({ outcome: 'deleted' });
  expect(await call(remove)).toMatchObject({ fault: { errorCode: 404_202 } });
});

test('the attestation mechanism is the enrolled key', async () => {
  const { call } = serviceFixture();
  const { endorsementKey } = softwareTpm();
  expect(await call({ kind: 'get-attestation-mechanism' })).toEqual({
    outcome: 'attestation',
    attestation: { type: 'tpm', endorsementKey },
  });
});

const truncated = softwareTpm().endorsementKey.slice(0, -1);
const signingKey = Uint8Array.from(softwareTpm().endorsementKey);
// TPMT_PUBLIC.parameters.symmetric: algorithm, key bits and mode become one TPM_ALG_NULL.
const withoutCipher = Uint8Array.from([
  ...[0x01, 0x36],
  ...signingKey.slice(2, 44),
  ...[0x00, 0x10],
  ...signingKey.slice(50),
]);

test.each([
  ['an endorsement key that is cut short', { endorsementKey: truncated }, 400_004],
  ['a key without a cipher, which is no storage key', { endorsementKey: withoutCipher }, 400_004],
  ['a storage root key that is none', { storageRootKey: truncated }, 400_004],
] as const)('%s is refused', async (_title, change, errorCode) => {
  const { call } = serviceFixture();
  const attestation = { type: 'tpm', ...keysOf(softwareTpm()), ...change } as const;
  expect(await call(put({ attestation }))).toMatchObject({ fault: { errorCode } });
});

test.each([
  ['an attestation of no kind', { attestation: { type: 'none' } }, 400_004],
  ['a custom policy without a definition', { allocationPolicy: 'custom' }, 400_004],
  ['another registration id than the path has', { registrationId: 'device-3' }, 400_004],
  ['more than fits into an answer', { initialTwin: { filler: 'x'.repeat(95_000) } }, 413_000],
] as const)('%s is refused', async (_title, change, errorCode) => {
  const { call } = serviceFixture();
  expect(await call(put(change))).toMatchObject({ fault: { errorCode } });
});

test.each([
  ['expired', { lifetimeMs: 0 }],
  ['under another key', { key: Buffer.alloc(32) }],
  ['under an unknown policy', { keyName: 'nobody' }],
  ['for another host', { resource: 'example.com' }],
  ['for another enrollment', { resource: 'localhost/enrollments/device-9' }],
  ['for a name that only begins alike', { resource: 'localhost/enrollments/device' }],
])('a token %s is refused with 401002', async (_title, change) => {
  const { call } = serviceFixture();
  expect(await call({}, change)).toMatchObject({
    fault: { status: 401, errorCode: 401_002, message: 'Unauthorized' },
  });
});

test.each([
  [
    'of the secondary key',
    (core: ReturnType<typeof serviceFixture>['core']) => ({ key: core.policies[0]?.secondaryKey.reveal() }),
  ],
  ['for the host without its port', () => ({ resource: 'LOCALHOST' })],
  ['for an IPv6 address', () => ({ resource: '[::1]:5000' })],
  ['for the very enrollment', () => ({ resource: 'localhost/enrollments/Device-1' })],
  ['for all enrollments', () => ({ resource: '127.0.0.1/enrollments' })],
  ['with a raw resource', () => ({ resource: 'localhost/enrollments', encoding: 'raw' as const })],
])('a token %s is good', async (_title, change) => {
  const { call, core } = serviceFixture();
  const { key, ...rest } = { key: undefined, ...change(core) };
  expect((await call({}, { ...rest, ...(key && { key }) })).outcome).toBe('enrollment');
});

test('no token, no access', async () => {
  const { call } = serviceFixture();
  expect(await call({ token: undefined })).toMatchObject({ fault: { errorCode: 401_002 } });
  expect(await call({ token: 'Bearer x' })).toMatchObject({ fault: { errorCode: 401_002 } });
});

const needs: readonly (readonly [Parameters<ReturnType<typeof serviceFixture>['call']>[0], AccessRight])[] = [
  [{ kind: 'get-enrollment' }, 'EnrollmentRead'],
  [{ kind: 'get-attestation-mechanism' }, 'EnrollmentRead'],
  [put(), 'EnrollmentWrite'],
  [{ kind: 'delete-enrollment' }, 'EnrollmentWrite'],
  [{ kind: 'get-registration' }, 'RegistrationStatusRead'],
  [{ kind: 'delete-registration' }, 'RegistrationStatusWrite'],
];

test.each(needs)('%j takes the right %s and no other', async (request, right) => {
  const keys = {
    primaryKey: Secret.fromBytes(Buffer.alloc(32, 1)),
    secondaryKey: Secret.fromBytes(Buffer.alloc(32, 2)),
  };
  const allBut = accessRights.filter((other) => other !== right);
  const refused = await serviceFixture({ policies: [{ name: 'p', ...keys, rights: allBut }] }).call(request);
  expect(refused).toMatchObject({ fault: { errorCode: 401_002, reason: containing(right) } });
  const allowed = await serviceFixture({ policies: [{ name: 'p', ...keys, rights: [right] }] }).call(request);
  expect(allowed).not.toMatchObject({ fault: { errorCode: 401_002 } });
});

test('policies of the same name are refused', () => {
  const policy = serviceFixture().core.policies[0];
  expect(() => serviceFixture({ policies: [policy, policy].filter((each) => each !== undefined) })).toThrow(
    /names/,
  );
});

test.each([
  ['a registration id', { registrationId: 'a b' }, /registrationId/],
  ['a key that is no base64', { endorsementKey: 'not base64!' }, /endorsementKey/],
  ['a key in PEM', { endorsementKey: '-----BEGIN PUBLIC KEY-----' }, /endorsementKey/],
  [
    'a TPMT_PUBLIC without its size',
    { endorsementKey: softwareTpm().endorsementKey.slice(2) },
    /Endorsement key is invalid/,
  ],
  ['a device id', { deviceId: 'a/b' }, /deviceId/],
])('the in-process shortcut refuses %s at once', (_title, change, message) => {
  const { core } = coreFixture();
  const { endorsementKey } = softwareTpm();
  const create = (): void =>
    core.createTpmEnrollment({ registrationId: 'device-2', endorsementKey, ...change });
  expect(create).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: matching(message) }),
  );
});

test('the in-process shortcut takes base64, line breaks included', () => {
  const { core } = coreFixture();
  const text = Buffer.from(softwareTpm().endorsementKey).toString('base64').replaceAll(/.{64}/g, '$&\n');
  core.createTpmEnrollment({ registrationId: 'device-2', endorsementKey: text });
  const request = { idScope: core.idScope, registrationId: 'device-2', ...keysOf(softwareTpm()) };
  expect(core.requestChallenge(request).outcome).toBe('challenge');
});
