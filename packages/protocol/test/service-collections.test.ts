/**
 * Oracle: the published schema of the service API (2021-10-01) and what the official clients send: the Node client
 * posts bulk operations to `/enrollments/` and calls a mode `updateIfMatchEtag`, the CLI queries with `SELECT *`.
 */
import { describe, expect, test } from 'vitest';
import {
  decodeBulkResult,
  decodeEnrollmentBulkOperation,
  decodeEnrollmentGroupPage,
  decodeEnrollmentPage,
  decodeGroupBulkOperation,
  decodeQuery,
  decodeRegistrationPage,
  decodeRowPage,
  encodeBulkResult,
  encodeCollectionTarget,
  encodeEnrollmentBulkOperation,
  encodeGroupBulkOperation,
  encodePage,
  encodeQuery,
  parseCollectionTarget,
  type CollectionOperation,
} from '@endorse/protocol';
import { thrownBy } from './vectors.ts';

const endorsementKey = Buffer.alloc(316, 7).toString('base64');
const document = { registrationId: 'r', attestation: { type: 'tpm', tpm: { endorsementKey } } };
const enrollment = {
  registrationId: 'r',
  attestation: { type: 'tpm', endorsementKey: new Uint8Array(316).fill(7) },
} as const;
const group = { enrollmentGroupId: 'g', attestation: { type: 'symmetricKey' } } as const;

describe('targets', () => {
  test.each<[CollectionOperation, string]>([
    ['bulk-enrollments', '/enrollments?api-version=2021-10-01'],
    ['query-enrollments', '/enrollments/query?api-version=2021-10-01'],
    ['bulk-enrollment-groups', '/enrollmentGroups?api-version=2021-10-01'],
    ['query-enrollment-groups', '/enrollmentGroups/query?api-version=2021-10-01'],
    ['query-registrations', '/registrations/g%3A1/query?api-version=2021-10-01'],
  ])('%s is %s', (kind, target) => {
    const enrollmentGroupId = kind === 'query-registrations' ? 'g:1' : undefined;
    expect(encodeCollectionTarget({ kind, enrollmentGroupId })).toBe(target);
    expect(parseCollectionTarget('POST', target)).toEqual({
      kind,
      apiVersion: '2021-10-01',
      ...(enrollmentGroupId === undefined ? {} : { enrollmentGroupId }),
    });
    const upper = target.replace(/^[^?]*/, (path) => `${path.toUpperCase()}/`);
    expect(parseCollectionTarget('POST', upper)).toMatchObject({ kind });
  });

  test.each([
    '/enrollments/r',
    '/enrollments/query/x',
    '/registrations/r',
    '/registrations',
    '/',
    '/x/query',
  ])('%s is none', (path) =>
    expect(parseCollectionTarget('POST', `${path}?api-version=2021-10-01`)).toBeUndefined(),
  );

  test('"query" is the id of a record for every other method', () => {
    expect(parseCollectionTarget('GET', '/enrollments/query?api-version=2021-10-01')).toBeUndefined();
    expect(parseCollectionTarget('PUT', '/enrollmentGroups/query?api-version=2021-10-01')).toBeUndefined();
  });

  test.each([
    ['GET', '/enrollments?api-version=2021-10-01', 'method'],
    ['GET', '/registrations/g/query?api-version=2021-10-01', 'method'],
    ['POST', '/registrations/g%20/query?api-version=2021-10-01', 'enrollmentGroupId'],
    ['POST', '/enrollments/query', 'api-version'],
  ])('%s %s: %s is wrong', (method, target, path) => {
    expect(thrownBy(() => parseCollectionTarget(method, target))).toMatchObject({ evidence: { path } });
  });
});

describe('bulk operations', () => {
  test('of enrollments and groups come back as they were', () => {
    const text = encodeEnrollmentBulkOperation('create', [enrollment]);
    expect(JSON.parse(text)).toEqual({ mode: 'create', enrollments: [document] });
    const { mode, items } = decodeEnrollmentBulkOperation(text);
    expect([mode, items[0]?.id, items[0]?.read()]).toEqual(['create', 'r', enrollment]);
    const groups = decodeGroupBulkOperation(encodeGroupBulkOperation('delete', [{ ...group, etag: '"e"' }]));
    expect([groups.mode, groups.items[0]?.id, groups.items[0]?.etag]).toEqual(['delete', 'g', '"e"']);
    expect(groups.items[0]?.read()).toEqual({ ...group, etag: '"e"' });
  });

  test('have a mode in any case', () => {
    const text = JSON.stringify({ mode: 'updateIfMatchEtag', enrollments: [document] });
    expect(decodeEnrollmentBulkOperation(text).mode).toBe('updateIfMatchETag');
  });

  test('keep an item that cannot be read apart from the others', () => {
    const { items } = decodeEnrollmentBulkOperation(
      JSON.stringify({ mode: 'delete', enrollments: [{ registrationId: 'x' }, { etag: '"e"' }, document] }),
    );
    expect(items.map(({ id }) => id)).toEqual(['x', '', 'r']);
    expect(thrownBy(() => items[0]?.read())).toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
      evidence: { path: '$.enrollments[0].attestation' },
    });
    expect(items[2]?.read()).toEqual(enrollment);
  });

  test.each([
    [{ enrollments: [document] }, '$.mode'],
    [{ mode: 'upsert', enrollments: [document] }, '$.mode'],
    [{ mode: 'create' }, '$.enrollments'],
    [{ mode: 'create', enrollments: [] }, '$.enrollments'],
    [{ mode: 'create', enrollments: [1] }, '$.enrollments[0]'],
    [{ mode: 'create', enrollments: Array.from({ length: 11 }, () => document) }, '$.enrollments'],
    [{ mode: 'create', enrollments: {} }, '$.enrollments'],
  ])('%j is wrong at %s', (body, path) => {
    expect(thrownBy(() => decodeEnrollmentBulkOperation(JSON.stringify(body)))).toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
      evidence: { path },
    });
  });

  test('are refused before they are sent when they are too many or none', () => {
    const error = { code: 'ERR_OUT_OF_RANGE', argument: 'items' };
    expect(thrownBy(() => encodeEnrollmentBulkOperation('create', []))).toMatchObject(error);
    const many = Array.from({ length: 11 }, () => enrollment);
    expect(thrownBy(() => encodeEnrollmentBulkOperation('create', many))).toMatchObject(error);
    expect(thrownBy(() => encodeEnrollmentBulkOperation('upsert' as 'create', [enrollment]))).toMatchObject({
      argument: 'mode',
    });
  });

  test('have a result that names what failed', () => {
    const result = {
      isSuccessful: false,
      errors: [{ id: 'r', errorCode: 409_000, errorStatus: 'Conflict' }],
    };
    const text = encodeBulkResult('enrollments', result);
    expect(JSON.parse(text)).toEqual({
      isSuccessful: false,
      errors: [{ registrationId: 'r', errorCode: 409_000, errorStatus: 'Conflict' }],
    });
    expect(decodeBulkResult('enrollments', text)).toEqual(result);
    expect(encodeBulkResult('enrollmentGroups', result)).toContain('"enrollmentGroupId":"r"');
    expect(decodeBulkResult('enrollments', '{}')).toEqual({ isSuccessful: true, errors: [] });
  });
});

describe('queries', () => {
  test('have a body with one field, or none', () => {
    expect(encodeQuery('SELECT *')).toBe('{"query":"SELECT *"}');
    expect(decodeQuery('{"query":"SELECT *"}')).toBe('SELECT *');
    for (const none of ['', '{}', '{"query":null}', '{"query":" "}'])
      expect(decodeQuery(none)).toBeUndefined();
    expect(thrownBy(() => decodeQuery('{"query":1}'))).toMatchObject({ evidence: { path: '$.query' } });
    expect(thrownBy(() => decodeQuery('[]'))).toMatchObject({ code: 'ERR_REMOTE_MALFORMED' });
    expect(thrownBy(() => encodeQuery(' '))).toMatchObject({ argument: 'query' });
    expect(thrownBy(() => encodeQuery('x'.repeat(8193)))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  });

  test('have pages that are bare arrays', () => {
    const state = { registrationId: 'r', status: 'assigned' };
    expect(decodeEnrollmentPage(encodePage([document]))).toEqual([enrollment]);
    expect(decodeEnrollmentGroupPage(encodePage([group]))).toEqual([{ ...group }]);
    expect(decodeRegistrationPage(encodePage([state]))).toEqual([state]);
    expect(decodeRowPage('[{"registrationId":"r"}]')).toEqual([{ registrationId: 'r' }]);
    expect(thrownBy(() => decodeRowPage('{}'))).toMatchObject({ evidence: { path: '$' } });
    expect(thrownBy(() => decodeRowPage('[1]'))).toMatchObject({ evidence: { path: '$[0]' } });
    expect(thrownBy(() => decodeEnrollmentPage('[{}]'))).toMatchObject({
      evidence: { path: '$[0].registrationId' },
    });
  });
});
