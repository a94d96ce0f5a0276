/** The client against the emulator's service API over HTTPS. */
import { Secret } from '@endorse/interface';
import { parseServiceConnectionString } from '@endorse/protocol';
import { expect, test } from 'vitest';
import { createEnrollmentClient, tpmEnrollment } from '@endorse/enrollment-client';
import { endorsementKey, startFixture } from './support/fixture.ts';

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test('an enrollment is created, read, replaced and deleted', async () => {
  await using fixture = await startFixture();
  const { enrollments } = fixture.client;
  const wanted = { ...tpmEnrollment({ endorsementKey, registrationId: 'device-1' }), deviceId: 'sensor' };
  const created = await enrollments.create(wanted);
  expect(created).toMatchObject({ ...wanted, provisioningStatus: 'enabled' });
  expect(await enrollments.get('device-1')).toEqual(created);
  expect(await enrollments.getAttestationMechanism('DEVICE-1')).toEqual({ type: 'tpm', endorsementKey });

  const updated = await enrollments.update({ ...created, provisioningStatus: 'disabled' });
  expect(updated).toMatchObject({
    provisioningStatus: 'disabled',
    createdDateTimeUtc: created.createdDateTimeUtc,
  });
  expect(updated.etag).not.toBe(created.etag);
  // The record changed since, and the etag without its quotes is still the etag.
  await expect(enrollments.update(created)).rejects.toMatchObject({ code: 'ERR_SERVICE_PRECONDITION' });
  await enrollments.update(created, { ifMatch: updated.etag?.replaceAll('"', '') });
  await enrollments.update(created, { ifMatch: '*' });
  await expect(enrollments.delete('device-1', { ifMatch: '"old"' })).rejects.toMatchObject({ status: 412 });
  await enrollments.delete('device-1');
  await expect(enrollments.get('device-1')).rejects.toMatchObject({
    code: 'ERR_SERVICE_NOT_FOUND',
    serviceCode: 404_201,
    trackingId: expect.stringMatching(/^[\da-f-]{36}$/) as unknown,
    remedy: 'Check the registration id: there is no such enrollment.',
    retryable: false,
  });
});

test('creating what exists is a conflict, and updating without an etag is refused before anything is sent', async () => {
  await using fixture = await startFixture();
  const { enrollments } = fixture.client;
  const enrollment = tpmEnrollment({ endorsementKey });
  expect(enrollment.registrationId).toMatch(/^[a-z2-7]{52}$/);
  await enrollments.create(enrollment);
  await expect(enrollments.create(enrollment)).rejects.toMatchObject({
    code: 'ERR_SERVICE_CONFLICT',
    remedy: 'Read the record, and update it with its etag if it is to be replaced.',
  });
  await fixture.emulator.stop();
  await expect(enrollments.update(enrollment)).rejects.toMatchObject({ argument: 'options.ifMatch' });
});

test('a group is created with keys of the service, and its attestation mechanism tells them', async () => {
  await using fixture = await startFixture();
  const { enrollmentGroups } = fixture.client;
  const attestation = { type: 'symmetricKey' } as const;
  const created = await enrollmentGroups.create({ enrollmentGroupId: 'plant-7', attestation });
  const mechanism = await enrollmentGroups.getAttestationMechanism('plant-7');
  expect(mechanism).toMatchObject({ type: 'symmetricKey', primaryKey: { byteLength: 64 } });
  const read = await enrollmentGroups.get('plant-7');
  expect(read.attestation).toEqual(attestation);
  await enrollmentGroups.update({ ...read, provisioningStatus: 'disabled' });
  expect(await enrollmentGroups.getAttestationMechanism('plant-7')).toEqual(mechanism);
  await enrollmentGroups.delete('plant-7');
  await expect(enrollmentGroups.get('plant-7')).rejects.toMatchObject({ serviceCode: 404_204 });
  expect(created.etag).toBeDefined();
});

test('a registration that is not there is not found', async () => {
  await using fixture = await startFixture();
  const { registrations } = fixture.client;
  await fixture.client.enrollments.create(tpmEnrollment({ endorsementKey, registrationId: 'device-1' }));
  await expect(registrations.get('device-1')).rejects.toMatchObject({ serviceCode: 404_202 });
  await expect(registrations.delete('device-1')).rejects.toMatchObject({ serviceCode: 404_202 });
});

test('the parts of a connection string do as well, and either key of a policy', async () => {
  await using fixture = await startFixture();
  const { caPem: ca, serviceConnectionString } = fixture.emulator;
  const parts = parseServiceConnectionString(serviceConnectionString.revealText());
  const client = createEnrollmentClient({ ...parts, ca });
  await expect(client.enrollments.get('x')).rejects.toMatchObject({ status: 404 });
  await client.close();
  const wrong = createEnrollmentClient({ ...parts, ca, sharedAccessKey: Secret.fromText('another key') });
  await expect(wrong.enrollments.get('x')).rejects.toMatchObject({
    code: 'ERR_SERVICE_UNAUTHORIZED',
    serviceCode: 401_002,
    remedy: expect.stringContaining('connection string') as unknown,
  });
  await wrong.close();
});

test('after close every request rejects, and closing again is harmless', async () => {
  await using fixture = await startFixture();
  await fixture.client.close();
  await fixture.client.close();
  await expect(fixture.client.enrollments.get('x')).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
});

test('devices are enrolled and removed in bulk, and queried page by page', async () => {
  await using fixture = await startFixture();
  const { enrollments } = fixture.client;
  const items = Array.from({ length: 12 }, (_, index) =>
    tpmEnrollment({ endorsementKey, registrationId: `device-${index}` }),
  );
  expect(await enrollments.bulk('create', items)).toEqual({ isSuccessful: true, errors: [] });
  expect(await enrollments.bulk('create', items.slice(11))).toMatchObject({
    isSuccessful: false,
    errors: [{ id: 'device-11', errorCode: 409_000 }],
  });
  const query = enrollments.query("SELECT * FROM enrollments WHERE attestation.type = 'tpm'", {
    pageSize: 5,
  });
  const pages = await all(query.pages());
  expect(pages.map(({ rows }) => rows.length)).toEqual([5, 5, 2]);
  expect(pages[0]?.rows[0]).toMatchObject({
    registrationId: 'device-0',
    attestation: { type: 'tpm', endorsementKey },
  });
  const rest = await all(query.pages({ continuation: pages[1]?.continuation }));
  expect(rest.flatMap(({ rows }) => rows.map((row) => row.registrationId))).toEqual([
    'device-10',
    'device-11',
  ]);
  const names = enrollments.queryRows("SELECT registrationId WHERE registrationId IN ['device-3', 'x']");
  expect(await all(names)).toEqual([{ registrationId: 'device-3' }]);
  await enrollments.bulk('delete', items);
  expect(await all(enrollments.query())).toEqual([]);
  await expect(all(enrollments.query('SELECT * FROM'))).rejects.toMatchObject({
    code: 'ERR_SERVICE_BAD_REQUEST',
    message: expect.stringContaining('at position 14') as unknown,
  });
});

test('groups go in bulk and can be queried, and so can the registrations of a group', async () => {
  await using fixture = await startFixture();
  const { enrollmentGroups, registrations } = fixture.client;
  const group = { enrollmentGroupId: 'plant-7', attestation: { type: 'symmetricKey' } } as const;
  await enrollmentGroups.bulk('create', [group]);
  const groups = await all(enrollmentGroups.query());
  expect(groups).toMatchObject([group]);
  await enrollmentGroups.bulk('updateIfMatchETag', groups);
  expect(await all(registrations.query('plant-7'))).toEqual([]);
  await expect(all(registrations.query('none'))).rejects.toMatchObject({ serviceCode: 404_204 });
});
