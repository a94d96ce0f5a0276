/**
 * Symmetric keys, individual and derived. Oracle of the derivation: the vector of the service's documentation
 * ("Symmetric key attestation", group enrollments). Codes and members are those of the published schema and of user reports.
 */
import { Secret } from '@endorse/interface';
import { deriveGroupDeviceKey } from '@endorse/protocol';
import { expect, test } from 'vitest';
import type { EmulatorCore } from '@endorse/emulator/core';
import { coreFixture, expectOutcome, keysOf } from './support/core-fixture.ts';
import { deviceToken, sas, softwareTpm } from './support/software-tpm.ts';
import { containing } from './support/matchers.ts';

const primaryKey = Buffer.alloc(64, 1);
const secondaryKey = Buffer.alloc(16, 2);
const documented = {
  groupKey: '8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==',
  registrationId: 'sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6',
  deviceKey: 'Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=',
};

interface Attempt {
  readonly registrationId: string;
  readonly key: Uint8Array;
  readonly lifetimeMs?: number;
  readonly keyName?: string;
  readonly encoding?: 'percent' | 'raw';
  /** The registration id inside the token; default the one of the request. */
  readonly tokenId?: string;
}

/** A device with a key and nothing else. */
function deviceFixture(options: Parameters<typeof coreFixture>[0] = {}) {
  const fixture = coreFixture(options);
  const { core, clock } = fixture;
  const request = async ({
    registrationId,
    tokenId = registrationId,
    lifetimeMs = 60_000,
    ...rest
  }: Attempt) => ({
    idScope: core.idScope,
    registrationId,
    credential: {
      kind: 'token',
      token: await deviceToken({
        idScope: core.idScope,
        registrationId: tokenId,
        expiresAt: clock.now() + lifetimeMs,
        ...rest,
      }),
    } as const,
  });
  return {
    ...fixture,
    request,
    register: async (attempt: Attempt) => core.register(await request(attempt)),
    /** Registers and asks for the outcome. */
    provision: async (attempt: Attempt) => {
      const common = await request(attempt);
      const { operationId } = expectOutcome(core.register(common), 'operation').operation;
      return expectOutcome(core.queryOperation({ ...common, operationId }), 'operation').operation;
    },
    send: async (deviceId: string, key: Uint8Array) => {
      const token = await sas({
        resource: `hub.endorse.test/devices/${deviceId}`,
        key,
        expiresAt: clock.now() + 60_000,
      });
      return core.hubs[0]?.acceptEvent({ deviceId, token, body: new Uint8Array() })?.status ?? 'accepted';
    },
  };
}

function enroll(core: EmulatorCore, change: object = {}): void {
  core.createSymmetricKeyEnrollment({ registrationId: 'key-1', primaryKey, secondaryKey, ...change });
}

test.each([
  ['primary', primaryKey, {}],
  ['secondary', secondaryKey, {}],
  ['primary, with a raw resource as the official Node client signs it', primaryKey, { encoding: 'raw' }],
] as const)(
  'a device with the %s key is assigned, and either key opens the hub',
  async (_title, key, change) => {
    const { core, provision, send } = deviceFixture();
    enroll(core, { deviceId: 'Sensor-1' });
    const operation = await provision({ registrationId: 'KEY-1', key, ...change });
    expect(operation).toMatchObject({
      status: 'assigned',
      registrationState: {
        registrationId: 'key-1',
        deviceId: 'Sensor-1',
        assignedHub: 'hub.endorse.test',
        substatus: 'initialAssignment',
      },
    });
    expect(operation.registrationState).not.toHaveProperty('symmetricKey');
    expect(operation.registrationState).not.toHaveProperty('tpm');
    expect(await send('Sensor-1', primaryKey)).toBe('accepted');
    expect(await send('Sensor-1', secondaryKey)).toBe('accepted');
    expect(await send('Sensor-1', Buffer.alloc(32))).toBe(401);
  },
);

test.each([
  ['under another key', { key: Buffer.alloc(64, 9) }, 'signature'],
  ['that has expired', { lifetimeMs: 0 }, 'expired'],
  ['for another device', { tokenId: 'key-2' }, 'another resource'],
  ['without skn=registration', { keyName: 'device' }, 'skn=registration'],
])('a token %s is refused with 401002, everywhere', async (_title, change, reason) => {
  const { core, request } = deviceFixture();
  enroll(core);
  const common = await request({ registrationId: 'key-1', key: primaryKey, ...change });
  const refused = { outcome: 'fault', fault: { errorCode: 401_002, reason: containing(reason) } };
  expect(core.register(common)).toMatchObject(refused);
  expect(core.queryOperation({ ...common, operationId: 'x' })).toMatchObject(refused);
  expect(core.lookUpState(common)).toMatchObject(refused);
});

test('without a token there is no challenge to be had, not even for a TPM', () => {
  const { core } = deviceFixture();
  enroll(core);
  const common = { idScope: core.idScope, registrationId: 'key-1', credential: { kind: 'none' } } as const;
  for (const keys of [{}, keysOf(softwareTpm())]) {
    expect(core.register({ ...common, ...keys })).toMatchObject({ fault: { errorCode: 401_002 } });
  }
});

test('a group key derives the key of the documentation, and its device is assigned as one of the group', async () => {
  const { core, provision, send } = deviceFixture();
  const { groupKey, registrationId } = documented;
  const key = Buffer.from(documented.deviceKey, 'base64');
  core.createSymmetricKeyEnrollmentGroup({
    enrollmentGroupId: 'Plant',
    primaryKey: groupKey,
    secondaryKey,
  });
  expect(await provision({ registrationId, key })).toMatchObject({
    status: 'assigned',
    registrationState: {
      registrationId,
      deviceId: registrationId,
      symmetricKey: { enrollmentGroupId: 'Plant' },
    },
  });
  expect(await send(registrationId, key)).toBe('accepted');
  expect(await send(registrationId, deriveGroupDeviceKey(secondaryKey, registrationId))).toBe('accepted');
});

test.each([
  ['as sent', 'Device-A'],
  ['in lower case', 'device-a'],
])('a key derived from the registration id %s is good', async (_title, derivedFrom) => {
  const { core, provision, send } = deviceFixture();
  core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'g', primaryKey, secondaryKey });
  const key = deriveGroupDeviceKey(secondaryKey, derivedFrom);
  const { registrationState } = await provision({ registrationId: 'Device-A', key });
  expect(registrationState).toMatchObject({ registrationId: 'Device-A', deviceId: 'Device-A' });
  expect(await send('Device-A', key)).toBe('accepted');
});

test('a device of a group stays the same device however it spells its id', async () => {
  const { core, provision } = deviceFixture();
  core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'g', primaryKey, secondaryKey });
  const key = deriveGroupDeviceKey(primaryKey, 'device-a');
  await provision({ registrationId: 'Device-A', key });
  const again = await provision({ registrationId: 'DEVICE-A', key });
  expect(again.registrationState).toMatchObject({ registrationId: 'Device-A', deviceId: 'Device-A' });
  expect(core.hubs[0]?.listDevices()).toHaveLength(1);
});

test.each([
  ['the group key itself', primaryKey],
  ['a key derived for another device', deriveGroupDeviceKey(primaryKey, 'device-b')],
  ['a key of another group', deriveGroupDeviceKey(Buffer.alloc(32, 7), 'device-a')],
])('%s does not make a member of a group', async (_title, key) => {
  const { core, register } = deviceFixture();
  core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'g', primaryKey, secondaryKey });
  expect(await register({ registrationId: 'device-a', key })).toMatchObject({
    fault: { errorCode: 401_002, reason: containing('no enrollment group') },
  });
});

test('without any enrollment for it, a device is not found; a TPM has no groups', async () => {
  const { core, register } = deviceFixture();
  const attempt = { registrationId: 'device-a', key: deriveGroupDeviceKey(primaryKey, 'device-a') };
  expect(await register(attempt)).toMatchObject({ fault: { errorCode: 404_201 } });
  core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'g', primaryKey, secondaryKey });
  const identity = { idScope: core.idScope, registrationId: 'device-a' };
  expect(core.requestChallenge({ ...identity, ...keysOf(softwareTpm()) })).toMatchObject({
    fault: { errorCode: 404_201 },
  });
});

test('an individual enrollment comes before a group, also when it is disabled or for something else', async () => {
  const { core, register, provision } = deviceFixture();
  core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'g', primaryKey, secondaryKey });
  const own = Buffer.alloc(32, 5);
  const asMember = { registrationId: 'key-1', key: deriveGroupDeviceKey(primaryKey, 'key-1') };
  enroll(core, { primaryKey: own, secondaryKey: own });
  expect(await register(asMember)).toMatchObject({ fault: { errorCode: 401_002 } });
  expect((await provision({ registrationId: 'key-1', key: own })).registrationState).not.toHaveProperty(
    'symmetricKey',
  );
  enroll(core, { primaryKey: own, secondaryKey: own, provisioningStatus: 'disabled' });
  expect(await register(asMember)).toMatchObject({ fault: { errorCode: 401_002 } });
  expect(await register({ registrationId: 'key-1', key: own })).toMatchObject({
    operation: { operationId: '', status: 'disabled' },
  });
  const { endorsementKey } = softwareTpm();
  core.createTpmEnrollment({ registrationId: 'key-1', endorsementKey });
  expect(await register(asMember)).toMatchObject({ fault: { errorCode: 401_002 } });
});

test('the first group that matches counts, also when it is disabled', async () => {
  const { core, register } = deviceFixture();
  const keys = { primaryKey, secondaryKey };
  core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'other' });
  core.createSymmetricKeyEnrollmentGroup({
    enrollmentGroupId: 'off',
    ...keys,
    provisioningStatus: 'disabled',
  });
  core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'on', ...keys });
  const attempt = { registrationId: 'device-a', key: deriveGroupDeviceKey(primaryKey, 'device-a') };
  expect(await register(attempt)).toEqual({
    outcome: 'operation',
    operation: {
      operationId: '',
      status: 'disabled',
      registrationState: { registrationId: 'device-a', status: 'disabled' },
    },
  });
});

test('new keys void an operation under way, the same keys do not', async () => {
  const { core, request } = deviceFixture({ assigningDurationMs: 1000 });
  const begin = async (change: Partial<Attempt> = {}) => {
    const common = await request({ registrationId: 'key-1', key: primaryKey, ...change });
    const { operationId } = expectOutcome(core.register(common), 'operation').operation;
    return () => core.queryOperation({ ...common, operationId });
  };
  enroll(core);
  const poll = await begin();
  enroll(core);
  expect(poll()).toMatchObject({ operation: { status: 'assigning' } });
  // The key the device uses stays, so it is the operation that is gone.
  enroll(core, { secondaryKey: Buffer.alloc(16, 3) });
  expect(poll()).toMatchObject({ fault: { errorCode: 404_202 } });

  const group = { enrollmentGroupId: 'g', primaryKey };
  core.createSymmetricKeyEnrollmentGroup({ ...group, secondaryKey });
  const key = deriveGroupDeviceKey(primaryKey, 'device-a');
  const pollMember = await begin({ registrationId: 'device-a', key });
  core.createSymmetricKeyEnrollmentGroup({ ...group, secondaryKey });
  expect(pollMember()).toMatchObject({ operation: { status: 'assigning' } });
  core.createSymmetricKeyEnrollmentGroup({ ...group, secondaryKey: Buffer.alloc(16, 3) });
  expect(pollMember()).toMatchObject({ fault: { errorCode: 404_202 } });
});

test('an individual enrollment takes a device out of its group', async () => {
  const { core, request } = deviceFixture({ assigningDurationMs: 1000 });
  core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'g', primaryKey, secondaryKey });
  const key = deriveGroupDeviceKey(primaryKey, 'device-a');
  const common = await request({ registrationId: 'device-a', key });
  const { operationId } = expectOutcome(core.register(common), 'operation').operation;
  enroll(core, { registrationId: 'device-a', primaryKey: key });
  expect(core.queryOperation({ ...common, operationId })).toMatchObject({ fault: { errorCode: 404_202 } });
});

test('an allocation is told whose device it is about', async () => {
  const seen: unknown[] = [];
  const { core, provision } = deviceFixture({
    allocate: ({ registrationId, enrollment, linkedHubs }) => {
      seen.push([
        registrationId,
        'enrollmentGroupId' in enrollment ? enrollment.enrollmentGroupId : undefined,
      ]);
      return { iotHubHostName: linkedHubs[0] ?? '' };
    },
  });
  enroll(core);
  core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'g', primaryKey, secondaryKey });
  await provision({ registrationId: 'key-1', key: primaryKey });
  await provision({ registrationId: 'device-a', key: deriveGroupDeviceKey(primaryKey, 'device-a') });
  expect(seen).toEqual([
    ['key-1', undefined],
    ['device-a', 'g'],
  ]);
});

test('keys that are not given are made, 64 bytes each, and stay when the enrollment is written again', () => {
  const { core } = deviceFixture();
  const first = core.createSymmetricKeyEnrollment({ registrationId: 'key-1' });
  expect([first.primaryKey.byteLength, first.secondaryKey.byteLength]).toEqual([64, 64]);
  expect(first.primaryKey.reveal()).not.toEqual(first.secondaryKey.reveal());
  const again = core.createSymmetricKeyEnrollment({ registrationId: 'key-1', deviceId: 'renamed' });
  expect(again.primaryKey.reveal()).toEqual(first.primaryKey.reveal());
  const group = core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'g' });
  expect(group.primaryKey.byteLength).toBe(64);
});

const secret = Secret.fromBytes(Buffer.alloc(32, 4));

test.each([
  ['one key of two', { primaryKey: secret }, /together/],
  ['a key of 15 bytes', { primaryKey: secret, secondaryKey: Buffer.alloc(15) }, /16 to 64/],
  ['a key of 65 bytes', { primaryKey: Buffer.alloc(65), secondaryKey: secret }, /16 to 64/],
  ['text that is no base64', { primaryKey: 'hunter2!', secondaryKey: secret }, /base64/],
])('the shortcuts refuse %s, and do not repeat it', (_title, keys, problem) => {
  const { core } = deviceFixture();
  for (const create of [
    () => core.createSymmetricKeyEnrollment({ registrationId: 'r', ...keys }),
    () => core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'g', ...keys }),
  ]) {
    expect(create).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
    expect(create).toThrow(problem);
    expect(create).not.toThrow(/hunter2/);
  }
});

test('unusable names are refused by the shortcuts', () => {
  const { core } = deviceFixture();
  expect(() => enroll(core, { registrationId: 'a b' })).toThrow(/registrationId/);
  expect(() => enroll(core, { deviceId: 'a/b' })).toThrow(/deviceId/);
  expect(() => core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: '' })).toThrow(
    /enrollmentGroupId/,
  );
});
