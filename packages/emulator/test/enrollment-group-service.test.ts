/**
 * The service API for enrollment groups: version rules, defaults, rights, and who gets to see keys. Members and codes are
 * those of the published schema (2021-10-01); 404204 is what users report for a group that is not there.
 */
import { Secret } from '@endorse/interface';
import type { AccessRight, EnrollmentGroupRequest } from '@endorse/emulator/core';
import { accessRights } from '@endorse/emulator/core';
import type { EnrollmentGroup } from '@endorse/protocol';
import { deriveGroupDeviceKey } from '@endorse/protocol';
import { expect, test } from 'vitest';
import { coreFixture, expectOutcome } from './support/core-fixture.ts';
import { deviceToken, sas, softwareTpm } from './support/software-tpm.ts';
import { containing, matching } from './support/matchers.ts';

function groupFixture(options: Parameters<typeof coreFixture>[0] = {}) {
  const { core, clock, events } = coreFixture(options);
  const [policy] = core.policies;
  const call = async (change: Partial<EnrollmentGroupRequest>, resource = 'localhost') => {
    const token = await sas({
      resource,
      key: policy.primaryKey.reveal(),
      keyName: policy.name,
      expiresAt: clock.now() + 60_000,
    });
    const enrollmentGroupId = 'group-1';
    return core.enrollmentGroups.handle({
      kind: 'get-enrollment-group',
      enrollmentGroupId,
      token,
      ...change,
    });
  };
  return { core, clock, events, call };
}

const put = (change: Partial<EnrollmentGroup> = {}, ifMatch?: string) => ({
  kind: 'put-enrollment-group' as const,
  ifMatch,
  readGroup: (): EnrollmentGroup => ({
    enrollmentGroupId: 'group-1',
    attestation: { type: 'symmetricKey' },
    ...change,
  }),
});
const mechanism = { kind: 'get-group-attestation-mechanism' } as const;

test('a new group comes back with keys, defaults and times; later only the attestation mechanism has keys', async () => {
  const { call, events } = groupFixture();
  const created = expectOutcome(await call(put({ iotHubs: ['hub.endorse.test'] })), 'enrollment-group').group;
  expect(created).toMatchObject({
    enrollmentGroupId: 'group-1',
    attestation: { type: 'symmetricKey', primaryKey: { byteLength: 64 }, secondaryKey: { byteLength: 64 } },
    capabilities: { iotEdge: false },
    allocationPolicy: 'hashed',
    reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: true },
    provisioningStatus: 'enabled',
    iotHubs: ['hub.endorse.test'],
    etag: matching(/^"[0-9a-f]{8}-0000-0300-0000-[0-9a-f]{12}"$/),
    createdDateTimeUtc: '2023-11-14T22:13:20.0000000Z',
  });
  const read = expectOutcome(await call({ enrollmentGroupId: 'GROUP-1' }), 'enrollment-group').group;
  expect(read).toEqual({ ...created, attestation: { type: 'symmetricKey' } });
  expect(await call(mechanism)).toEqual({ outcome: 'attestation', attestation: created.attestation });
  expect(events.at(-1)).toMatchObject({ event: 'enrollment-group-written', created: true });
});

test('a group that was read and is written back keeps its keys', async () => {
  const { call, clock } = groupFixture();
  const { attestation, etag } = expectOutcome(await call(put()), 'enrollment-group').group;
  const { group } = expectOutcome(await call({}), 'enrollment-group');
  await clock.advance(1000);
  const written = expectOutcome(
    await call(put({ ...group, provisioningStatus: 'disabled' }, etag)),
    'enrollment-group',
  );
  expect(written.group).toMatchObject({
    attestation,
    provisioningStatus: 'disabled',
    createdDateTimeUtc: group.createdDateTimeUtc,
    lastUpdatedDateTimeUtc: '2023-11-14T22:13:21.0000000Z',
  });
  expect(written.group.etag).not.toBe(etag);
});

test('without If-Match a group is only created, with it only replaced, and a delete checks it', async () => {
  const { call } = groupFixture();
  const remove = { kind: 'delete-enrollment-group' } as const;
  expect(await call(put({}, '*'))).toMatchObject({ fault: { status: 412 } });
  expect((await call(put())).outcome).toBe('enrollment-group');
  expect(await call(put())).toMatchObject({ fault: { status: 409 } });
  expect(await call(put({}, '"other"'))).toMatchObject({ fault: { status: 412 } });
  expect((await call(put({}, '*'))).outcome).toBe('enrollment-group');
  expect(await call({ ...remove, ifMatch: '"other"' })).toMatchObject({ fault: { status: 412 } });
  expect(await call(remove)).toEqual({ outcome: 'deleted' });
  for (const kind of [remove, mechanism, {}]) {
    expect(await call(kind)).toMatchObject({ fault: { errorCode: 404_204 } });
  }
});

test('a deleted group takes its devices along; their records stay until they are deleted', async () => {
  const { core, clock, call } = groupFixture();
  const { primaryKey } = core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'group-1' });
  const identity = { idScope: core.idScope, registrationId: 'member-1' };
  const key = deriveGroupDeviceKey(primaryKey.reveal(), 'member-1');
  const token = await deviceToken({ ...identity, key, expiresAt: clock.now() + 60_000 });
  const common = { ...identity, credential: { kind: 'token', token } } as const;
  const { operationId } = expectOutcome(core.register(common), 'operation').operation;
  const record = async (kind: 'get-registration' | 'delete-registration') => {
    const [policy] = core.policies;
    const owner = await sas({
      resource: 'localhost',
      key: policy.primaryKey.reveal(),
      keyName: policy.name,
      expiresAt: clock.now() + 60_000,
    });
    return core.enrollments.handle({ kind, registrationId: 'member-1', token: owner });
  };
  // Nobody polled yet: whoever looks finds the operation due.
  const read = expectOutcome(await record('get-registration'), 'registration');
  expect(read.state).toMatchObject({ status: 'assigned', symmetricKey: { enrollmentGroupId: 'group-1' } });
  await call({ kind: 'delete-enrollment-group' });
  expect(core.queryOperation({ ...common, operationId })).toMatchObject({ fault: { errorCode: 404_201 } });
  core.createSymmetricKeyEnrollmentGroup({
    enrollmentGroupId: 'group-1',
    primaryKey,
    secondaryKey: primaryKey,
  });
  expect(core.queryOperation({ ...common, operationId })).toMatchObject({ fault: { errorCode: 404_202 } });
  expect((await record('get-registration')).outcome).toBe('registration');
  expect((await record('delete-registration')).outcome).toBe('deleted');
  expect((await record('get-registration')).outcome).toBe('fault');
});

test.each([
  ['a TPM', { attestation: { type: 'tpm', endorsementKey: softwareTpm().endorsementKey } }, 400_004],
  ['no attestation', { attestation: { type: 'none' } }, 400_004],
  ['a custom policy without a definition', { allocationPolicy: 'custom' }, 400_004],
  ['another id than the path has', { enrollmentGroupId: 'group-2' }, 400_004],
  ['more than fits into an answer', { initialTwin: { filler: 'x'.repeat(95_000) } }, 413_000],
] as const)('a group with %s is refused', async (_title, change, errorCode) => {
  const { call } = groupFixture();
  expect(await call(put(change))).toMatchObject({ fault: { errorCode } });
});

const needs: readonly (readonly [Partial<EnrollmentGroupRequest>, AccessRight])[] = [
  [{}, 'EnrollmentRead'],
  [mechanism, 'EnrollmentRead'],
  [put(), 'EnrollmentWrite'],
  [{ kind: 'delete-enrollment-group' }, 'EnrollmentWrite'],
];

test.each(needs)('%j takes the right %s and no other', async (request, right) => {
  const key = Secret.fromBytes(Buffer.alloc(32, 1));
  const policy = { name: 'p', primaryKey: key, secondaryKey: key };
  const allBut = accessRights.filter((other) => other !== right);
  expect(await groupFixture({ policies: [{ ...policy, rights: allBut }] }).call(request)).toMatchObject({
    fault: { errorCode: 401_002, reason: containing(right) },
  });
  expect(await groupFixture({ policies: [{ ...policy, rights: [right] }] }).call(request)).not.toMatchObject({
    fault: { errorCode: 401_002 },
  });
});

test('a token for one group is not good for another', async () => {
  const { call } = groupFixture();
  await call(put());
  expect((await call({}, 'localhost/enrollmentGroups/group-1')).outcome).toBe('enrollment-group');
  expect(await call({}, 'localhost/enrollmentGroups/group-2')).toMatchObject({
    fault: { errorCode: 401_002 },
  });
});
