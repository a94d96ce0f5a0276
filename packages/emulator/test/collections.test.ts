/**
 * Bulk operations and queries. Oracle: the published schema (2021-10-01), header names and item types as the official
 * .NET client parses them (lower case; `Enrollment`, `EnrollmentGroup`, `DeviceRegistration`, `Unknown`).
 */
import { deriveGroupDeviceKey } from '@endorse/protocol';
import { describe, expect, test } from 'vitest';
import { matching } from './support/matchers.ts';
import type { HandlerFixture } from './support/handler-fixture.ts';
import { handlerFixture } from './support/handler-fixture.ts';
import { deviceToken, softwareTpm } from './support/software-tpm.ts';

const endorsementKey = Buffer.from(softwareTpm().endorsementKey).toString('base64');
const item = (registrationId: string, more: object = {}): object => ({
  registrationId,
  attestation: { type: 'tpm', tpm: { endorsementKey } },
  ...more,
});
const bulk = (
  { call }: HandlerFixture,
  mode: string,
  enrollments: readonly object[],
  path = '/enrollments/',
) => call({ method: 'POST', target: path, body: { mode, enrollments } });
const query = ({ call }: HandlerFixture, text: string, headers: Record<string, string> = {}) =>
  call({ method: 'POST', target: '/enrollments/query', headers, body: { query: text } });

describe('bulk operations', () => {
  test('create, update, update if unchanged and delete, each item by itself', async () => {
    const fixture = handlerFixture();
    const created = await bulk(fixture, 'create', [item('a'), item('b'), item('device-1')]);
    expect(created).toMatchObject({ status: 200 });
    expect(created.json).toEqual({
      isSuccessful: false,
      errors: [{ registrationId: 'device-1', errorCode: 409_000, errorStatus: matching(/^Conflict/) }],
    });
    const before = (await fixture.call({ target: '/enrollments/a' })).json as { etag: string };
    expect((await bulk(fixture, 'update', [item('A', { deviceId: 'x' }), item('c')])).json).toMatchObject({
      errors: [{ registrationId: 'c', errorCode: 404_201 }],
    });
    const after = (await fixture.call({ target: '/enrollments/a' })).json as { etag: string };
    expect(after).toMatchObject({ registrationId: 'a', deviceId: 'x' });
    const stale = await bulk(fixture, 'updateIfMatchEtag', [item('a', before), item('b')]);
    expect(stale.json).toMatchObject({
      errors: [
        { registrationId: 'a', errorCode: 412_000 },
        { registrationId: 'b', errorCode: 412_000 },
      ],
    });
    expect((await bulk(fixture, 'updateIfMatchETag', [item('a', { etag: after.etag })])).json).toEqual({
      isSuccessful: true,
      errors: [],
    });
    const deleted = await bulk(fixture, 'delete', [{ registrationId: 'a' }, item('b'), item('c')]);
    expect(deleted.json).toMatchObject({ errors: [{ registrationId: 'c', errorCode: 404_201 }] });
    expect((await fixture.call({ target: '/enrollments/a' })).status).toBe(404);
  });

  test('an item that cannot be read, or is refused, fails alone and says why', async () => {
    const fixture = handlerFixture();
    const badKey = { type: 'tpm', tpm: { endorsementKey: 'AAAA' } };
    const { json } = await bulk(fixture, 'create', [
      { registrationId: 'x' },
      item('y', { attestation: badKey }),
      item('z'),
    ]);
    expect(json).toEqual({
      isSuccessful: false,
      errors: [
        { registrationId: 'x', errorCode: 400_004, errorStatus: matching(/attestation is missing/) },
        { registrationId: 'y', errorCode: 400_004, errorStatus: matching(/^Endorsement key is invalid/) },
      ],
    });
    expect((await fixture.call({ target: '/enrollments/z' })).status).toBe(200);
  });

  test('of groups go by their own path and id', async () => {
    const { call } = handlerFixture();
    const enrollmentGroups = [
      { enrollmentGroupId: 'g', attestation: { type: 'symmetricKey' } },
      { enrollmentGroupId: 'h', attestation: { type: 'tpm', tpm: { endorsementKey } } },
    ];
    const post = (mode: string) =>
      call({ method: 'POST', target: '/enrollmentGroups', body: { mode, enrollmentGroups } });
    expect((await post('create')).json).toMatchObject({
      errors: [{ enrollmentGroupId: 'h', errorCode: 400_004 }],
    });
    expect((await post('update')).json).toMatchObject({
      errors: [{ enrollmentGroupId: 'h', errorCode: 404_204 }],
    });
    expect((await post('delete')).json).toMatchObject({
      errors: [{ enrollmentGroupId: 'h', errorCode: 404_204 }],
    });
    expect((await call({ target: '/enrollmentGroups/g' })).status).toBe(404);
  });
});

describe('queries', () => {
  test('select, and answer with a bare array and lower-case headers', async () => {
    const fixture = handlerFixture();
    await bulk(fixture, 'create', [item('a', { provisioningStatus: 'disabled' }), item('b')]);
    const answer = await query(fixture, "SELECT * FROM enrollments WHERE provisioningStatus = 'disabled'");
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'x-ms-item-type': 'Enrollment', 'x-ms-max-item-count': '100' },
      json: [{ registrationId: 'a', provisioningStatus: 'disabled' }],
    });
    expect(answer.headers).not.toHaveProperty('x-ms-continuation');
    const fields = await query(fixture, 'SELECT registrationId, attestation.type');
    expect(fields.headers['x-ms-item-type']).toBe('Unknown');
    expect(fields.json).toEqual(
      ['device-1', 'a', 'b'].map((registrationId) => ({ registrationId, type: 'tpm' })),
    );
  });

  test('show no keys, and what became of the device', async () => {
    const fixture = handlerFixture();
    const { core, identity } = fixture;
    core.createSymmetricKeyEnrollment({ registrationId: 's' });
    const token = await fixture.solveChallenge();
    core.register({ ...identity, credential: { kind: 'token', token } });
    const { json } = await query(fixture, 'SELECT *');
    expect(json).toMatchObject([
      { registrationId: 'device-1', registrationState: { status: 'assigned' } },
      { registrationId: 's', attestation: { type: 'symmetricKey' } },
    ]);
    expect(JSON.stringify(json)).not.toContain('primaryKey');
  });

  test('go from page to page, however records come and go in between', async () => {
    const fixture = handlerFixture();
    const ids = ['a', 'b', 'c', 'd', 'e'];
    await bulk(
      fixture,
      'create',
      ids.map((id) => item(id)),
    );
    const text = 'SELECT registrationId FROM enrollments';
    const first = await query(fixture, text, { 'x-ms-max-item-count': '2' });
    expect(first.json).toEqual([{ registrationId: 'device-1' }, { registrationId: 'a' }]);
    // The last one seen goes, an old one changes, a new one comes.
    await bulk(fixture, 'delete', [{ registrationId: 'a' }]);
    await bulk(fixture, 'update', [item('device-1'), item('b')]);
    await bulk(fixture, 'create', [item('f')]);
    const rest: unknown[] = [];
    let continuation: string | undefined = first.headers['x-ms-continuation'];
    while (continuation !== undefined) {
      const page = await query(fixture, text, {
        'x-ms-max-item-count': '2',
        'x-ms-continuation': continuation,
      });
      expect(page.headers['x-ms-max-item-count']).toBe('2');
      rest.push(...(page.json as unknown[]));
      continuation = page.headers['x-ms-continuation'];
    }
    expect(rest).toEqual(['b', 'c', 'd', 'e', 'f'].map((registrationId) => ({ registrationId })));
  });

  test('a page is cut at a thousand rows, at a mebibyte and after ten thousand records looked at', async () => {
    const fixture = handlerFixture();
    const { core } = fixture;
    const wide = { initialTwin: { tags: { filler: 'x'.repeat(60_000) } } };
    for (let index = 0; index < 20; index += 1) {
      core.enrollments.write(
        {
          registrationId: `filled-${index}`,
          attestation: { type: 'tpm', endorsementKey: softwareTpm().endorsementKey },
          ...wide,
        },
        undefined,
      );
    }
    const large = await query(fixture, 'SELECT *', { 'x-ms-max-item-count': '1000' });
    expect((large.json as unknown[]).length).toBeLessThan(20);
    expect(large.headers).toHaveProperty('x-ms-continuation');
    for (let index = 0; index < 10_500; index += 1)
      core.createSymmetricKeyEnrollment({ registrationId: `n-${index}` });
    const many = await query(fixture, 'SELECT registrationId', { 'x-ms-max-item-count': '5000' });
    expect([(many.json as unknown[]).length, many.headers['x-ms-max-item-count']]).toEqual([1000, '1000']);
    const search = "SELECT registrationId WHERE registrationId >= 'n-10499' AND registrationId < 'n-105'";
    const none = await query(fixture, search);
    expect(none.json).toEqual([]);
    const next = await query(fixture, search, {
      'x-ms-continuation': none.headers['x-ms-continuation'] ?? '',
    });
    expect(next.json).toEqual([{ registrationId: 'n-10499' }]);
  });

  test.each([
    [
      'a query',
      'SELECT * FROM devices',
      {},
      /^The query is invalid: expected enrollments, found devices at position 15\.$/,
    ],
    ['a page size', 'SELECT *', { 'x-ms-max-item-count': '0' }, /maximum item count/],
    ['a continuation', 'SELECT *', { 'x-ms-continuation': 'nonsense' }, /continuation/],
  ])('%s that is unusable is refused', async (_title, text, headers, message) => {
    const answer = await query(handlerFixture(), text, headers);
    expect(answer).toMatchObject({ status: 400, json: { errorCode: 400_004, message: matching(message) } });
  });

  test('a continuation belongs to its query', async () => {
    const fixture = handlerFixture();
    await bulk(fixture, 'create', [item('a')]);
    const first = await query(fixture, 'SELECT *', { 'x-ms-max-item-count': '1' });
    const continuation = first.headers['x-ms-continuation'] ?? '';
    const other = await query(fixture, 'SELECT registrationId', { 'x-ms-continuation': continuation });
    expect(other.status).toBe(400);
  });

  test('of groups and of the registrations of a group, whose operations are settled by looking', async () => {
    const { core, clock, call } = handlerFixture();
    const { primaryKey } = core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'plant' });
    core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'other' });
    for (const registrationId of ['m-1', 'm-2']) {
      const key = deriveGroupDeviceKey(primaryKey.reveal(), registrationId);
      const token = await deviceToken({
        idScope: core.idScope,
        registrationId,
        key,
        expiresAt: clock.now() + 1000,
      });
      core.register({ idScope: core.idScope, registrationId, credential: { kind: 'token', token } });
    }
    const groups = await call({
      method: 'POST',
      target: '/enrollmentGroups/query',
      body: { query: 'SELECT *' },
    });
    expect(groups.headers['x-ms-item-type']).toBe('EnrollmentGroup');
    expect(groups.json).toMatchObject([{ enrollmentGroupId: 'plant' }, { enrollmentGroupId: 'other' }]);
    expect(JSON.stringify(groups.json)).not.toContain('primaryKey');
    // The schema knows no body here; the clients send a query all the same.
    for (const body of [undefined, {}, { query: 'SELECT * FROM deviceRegistrations' }]) {
      const answer = await call({ method: 'POST', target: '/registrations/Plant/query', body });
      expect(answer.headers['x-ms-item-type']).toBe('DeviceRegistration');
      expect(answer.json).toMatchObject([
        { registrationId: 'm-1', status: 'assigned', symmetricKey: { enrollmentGroupId: 'plant' } },
        { registrationId: 'm-2', status: 'assigned' },
      ]);
    }
    expect((await call({ method: 'POST', target: '/registrations/other/query' })).json).toEqual([]);
    expect((await call({ method: 'POST', target: '/registrations/none/query' })).json).toMatchObject({
      errorCode: 404_204,
    });
  });
});
