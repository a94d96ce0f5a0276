/**
 * How many records there may be. Oracle: the limits the service documents (`quotas.test.ts` has their figures); that it
 * answers 403 at them is an assumption.
 */
import type { Quotas } from '@endorse/emulator';
import { deriveGroupDeviceKey } from '@endorse/protocol';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../src/store/memory-store.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import { createAuthority } from '../src/certificate/authority.ts';
import type { HandlerFixture } from './support/handler-fixture.ts';
import { handlerFixture } from './support/handler-fixture.ts';
import { deviceToken } from './support/software-tpm.ts';

const stores = [
  ['memory', createMemoryStore],
  ['SQLite', () => openSqliteStore(':memory:')],
] as const;

const symmetricKey = { type: 'symmetricKey' };
const refused = { status: 403, json: { errorCode: 403_101, message: 'Quota exceeded' } };
/** Why the last request was refused: told to whoever runs the emulator, not to the client. */
const reason = ({ events }: HandlerFixture): unknown => events.at(-1);
const because = (text: string): object => ({ event: 'request-refused', status: 403, reason: text });

const put = ({ call }: HandlerFixture, path: string, body: object, headers = {}) =>
  call({ method: 'PUT', target: path, headers, body });
const putEnrollment = (fixture: HandlerFixture, registrationId: string, headers = {}) =>
  put(fixture, `/enrollments/${registrationId}`, { registrationId, attestation: symmetricKey }, headers);

test.each(stores)('one enrollment more is refused, a replacement is not, on %s', async (_name, openStore) => {
  // The fixture brings one along.
  const fixture = handlerFixture({ store: openStore(), quotas: { maxEnrollments: 2 } });
  expect((await putEnrollment(fixture, 'a')).status).toBe(200);
  expect(await putEnrollment(fixture, 'b')).toMatchObject(refused);
  expect(reason(fixture)).toMatchObject(because('the limit of 2 enrollments is reached'));
  expect((await putEnrollment(fixture, 'A', { 'if-match': '*' })).status).toBe(200);
  expect((await fixture.call({ method: 'DELETE', target: '/enrollments/device-1' })).status).toBe(204);
  const enrollments = ['b', 'c'].map((registrationId) => ({ registrationId, attestation: symmetricKey }));
  const bulk = await fixture.call({
    method: 'POST',
    target: '/enrollments',
    body: { mode: 'create', enrollments },
  });
  expect(bulk.json).toMatchObject({
    isSuccessful: false,
    errors: [{ registrationId: 'c', errorCode: 403_101 }],
  });
  expect(() => fixture.core.createSymmetricKeyEnrollment({ registrationId: 'd' })).toThrow(
    /Quota exceeded.*2 enrollments/,
  );
});

test('groups are counted apart by what their devices prove', async () => {
  const fixture = handlerFixture({
    quotas: { maxSymmetricKeyEnrollmentGroups: 1, maxX509EnrollmentGroups: 1 },
  });
  const certificate = Buffer.from(createAuthority(Date.now()).certificatePem).toString('base64');
  const x509 = { type: 'x509', x509: { signingCertificates: { primary: { certificate } } } };
  const putGroup = (enrollmentGroupId: string, attestation: object, headers = {}) =>
    put(fixture, `/enrollmentGroups/${enrollmentGroupId}`, { enrollmentGroupId, attestation }, headers);
  expect((await putGroup('keys', symmetricKey)).status).toBe(200);
  expect((await putGroup('certificates', x509)).status).toBe(200);
  expect(await putGroup('more', symmetricKey)).toMatchObject(refused);
  expect(reason(fixture)).toMatchObject(
    because('the limit of 1 enrollment groups of symmetricKey is reached'),
  );
  expect(await putGroup('more', x509)).toMatchObject(refused);
  expect(reason(fixture)).toMatchObject(because('the limit of 1 enrollment groups of x509 is reached'));
  expect((await putGroup('KEYS', symmetricKey, { 'if-match': '*' })).status).toBe(200);
  expect(await putGroup('keys', x509, { 'if-match': '*' })).toMatchObject(refused);
  expect(reason(fixture)).toMatchObject(because('the limit of 1 enrollment groups of x509 is reached'));
});

test.each(stores)(
  'a device more than may register is refused, one that has is not, on %s',
  async (_name, openStore) => {
    const { core, clock } = handlerFixture({ store: openStore(), quotas: { maxRegistrations: 2 } });
    const { primaryKey } = core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'plant' });
    const register = async (registrationId: string): Promise<object> => {
      const key = deriveGroupDeviceKey(primaryKey.reveal(), registrationId);
      const identity = { idScope: core.idScope, registrationId };
      const token = await deviceToken({ ...identity, key, expiresAt: clock.now() + 1000 });
      const credential = { kind: 'token', token } as const;
      const response = core.register({ ...identity, credential });
      if (response.outcome !== 'operation') return response;
      return core.queryOperation({ ...identity, credential, operationId: response.operation.operationId });
    };
    const assigned = { outcome: 'operation', operation: { status: 'assigned' } };
    expect(await register('m-1')).toMatchObject(assigned);
    expect(await register('m-2')).toMatchObject(assigned);
    expect(await register('m-3')).toMatchObject({ outcome: 'fault', fault: { errorCode: 403_101 } });
    expect(await register('M-1')).toMatchObject(assigned);
    core.store.registrations.delete('m-2');
    expect(await register('m-3')).toMatchObject(assigned);
  },
);

test('one CA certificate more is refused', () => {
  const { core } = handlerFixture({ quotas: { maxCaCertificates: 1 } });
  const certificate = createAuthority(Date.now()).certificatePem;
  core.uploadCaCertificate({ name: 'one', certificate });
  core.uploadCaCertificate({ name: 'ONE', certificate });
  expect(() => core.uploadCaCertificate({ name: 'two', certificate })).toThrow(/1 CA certificates/);
});

test('nothing is counted where no quota says so', async () => {
  const quotas: Quotas = {};
  const fixture = handlerFixture({ quotas });
  for (const id of ['a', 'b', 'c']) expect((await putEnrollment(fixture, id)).status).toBe(200);
});
