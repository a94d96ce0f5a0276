/** Pages of queries and requests of bulk operations, as they go over the wire. */
import { expect, test } from 'vitest';
import type { BulkInterruptedError, IndividualEnrollment } from '@endorse/enrollment-client';
import { startService } from './support/service.ts';

const row = (id: string): object => ({ registrationId: id, attestation: { type: 'symmetricKey' } });
const items = (count: number, size = 0): IndividualEnrollment[] =>
  Array.from({ length: count }, (_, index) => ({
    registrationId: `r${index}`,
    attestation: { type: 'symmetricKey' },
    ...(size === 0 ? {} : { initialTwin: { tags: { filler: 'x'.repeat(size) } } }),
  }));
const idsOf = (body: string): string[] =>
  (JSON.parse(body) as { enrollments: { registrationId: string }[] }).enrollments.map(
    (one) => one.registrationId,
  );

test('a query is gone through page by page, and no page is fetched that nobody asks for', async () => {
  await using service = await startService((_request, index) => ({
    status: 200,
    headers: index % 3 < 2 ? { 'x-ms-continuation': `page-${index + 1}` } : {},
    body: [row(`a${index}`), row(`b${index}`)],
  }));
  const query = service.client().enrollments.query('SELECT * FROM enrollments', { pageSize: 2 });
  const ids: string[] = [];
  for await (const { registrationId } of query) ids.push(registrationId);
  expect(ids).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
  expect(service.requests.map(({ method, target }) => `${method} ${target}`)).toEqual(
    Array.from({ length: 3 }, () => 'POST /enrollments/query?api-version=2021-10-01'),
  );
  expect(service.requests.map(({ headers }) => headers['x-ms-continuation'])).toEqual([
    undefined,
    'page-1',
    'page-2',
  ]);
  expect(service.requests[0]).toMatchObject({
    body: '{"query":"SELECT * FROM enrollments"}',
    headers: { 'x-ms-max-item-count': '2' },
  });
  // Again from the beginning, and only as far as somebody looks.
  for await (const { registrationId } of query) {
    expect(registrationId).toBe('a3');
    break;
  }
  expect(service.requests).toHaveLength(4);
});

test('a query goes on where an earlier page ended', async () => {
  await using service = await startService(() => ({ status: 200, body: [row('last')] }));
  const query = service.client().enrollmentGroups.queryRows('SELECT *');
  const pages = [];
  for await (const page of query.pages({ continuation: 'from-here' })) pages.push(page);
  expect(pages).toEqual([{ rows: [row('last')] }]);
  expect(service.requests[0]?.headers['x-ms-continuation']).toBe('from-here');
  await expect(query.pages({ continuation: 'a\nb' })[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    argument: 'options.continuation',
  });
});

test('a service that sends the same page for ever is found out', async () => {
  await using service = await startService(() => ({
    status: 200,
    headers: { 'x-ms-continuation': 'again' },
    body: [],
  }));
  const rows = service.client().registrations.query('group-1')[Symbol.asyncIterator]();
  await expect(rows.next()).rejects.toMatchObject({ code: 'ERR_REMOTE_UNEXPECTED' });
  expect(service.requests.map(({ target }) => target)[0]).toMatch(/^\/registrations\/group-1\/query/);
  expect(service.requests).toHaveLength(2);
});

test('a bulk operation goes in requests of ten, and failures of items are added up', async () => {
  await using service = await startService(({ body }) => {
    const errors = idsOf(body)
      .filter((id) => id.endsWith('1'))
      .map((registrationId) => ({ registrationId, errorCode: 409_000, errorStatus: 'Conflict' }));
    return { status: 200, body: { isSuccessful: errors.length === 0, errors } };
  });
  const result = await service.client().enrollments.bulk('create', items(23));
  expect(service.requests.map(({ body }) => idsOf(body).length)).toEqual([10, 10, 3]);
  expect(result).toEqual({
    isSuccessful: false,
    errors: ['r1', 'r11', 'r21'].map((id) => ({ id, errorCode: 409_000, errorStatus: 'Conflict' })),
  });
});

test('items that are too large for one request of ten go in more', async () => {
  await using service = await startService(() => ({ status: 200, body: { isSuccessful: true, errors: [] } }));
  const result = await service.client().enrollments.bulk('create', items(7, 30_000));
  expect(service.requests.map(({ body }) => idsOf(body).length)).toEqual([3, 3, 1]);
  expect(service.requests.every(({ body }) => body.length <= 98_304)).toBe(true);
  expect(result).toEqual({ isSuccessful: true, errors: [] });
});

test('a bulk operation that stops tells what was done and what is open', async () => {
  await using service = await startService((_request, index) =>
    index === 1
      ? { status: 503, body: { errorCode: 503_000, trackingId: 't', message: 'busy' } }
      : { status: 200, body: { isSuccessful: true, errors: [] } },
  );
  const { enrollments } = service.client();
  const error = await enrollments.bulk('delete', items(23)).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'ERR_BULK_INTERRUPTED',
    fault: 'service',
    retryable: true,
    completed: { isSuccessful: true, errors: [] },
    cause: { code: 'ERR_SERVICE_UNAVAILABLE', trackingId: 't' },
  });
  expect((error as BulkInterruptedError).remaining).toEqual(
    items(23)
      .slice(10)
      .map((item) => item.registrationId),
  );
});

test('a bulk operation whose first request fails rejects with that error', async () => {
  await using service = await startService(() => ({ status: 401 }));
  const rejected = service.client().enrollments.bulk('create', items(12));
  await expect(rejected).rejects.toMatchObject({ code: 'ERR_SERVICE_UNAUTHORIZED' });
});
