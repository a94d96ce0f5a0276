/** Oracle: the paths of the published REST reference and those the official clients send, escaped or not. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeHubEventTarget,
  encodeOperationStatusTarget,
  encodeRegisterTarget,
  encodeServiceTarget,
  encodeStatusLookupTarget,
  parseApiVersion,
  parseDeviceTarget,
  parseHubTarget,
  parseServiceTarget,
  serviceMethods,
  validateApiVersion,
  type ServiceOperation,
} from '@endorse/protocol';
import { thrownBy } from './vectors.ts';

const operationId = '5.316aac5bdc130deb.b1e02da8-1a43-4d1e-9b3c-2f5b6a7c8d9e';
const device = { idScope: '0ne000A247E', registrationId: 'my-device-1' };

describe('device API', () => {
  test('targets are those of the REST reference', () => {
    expect(encodeRegisterTarget(device)).toBe(
      '/0ne000A247E/registrations/my-device-1/register?api-version=2021-06-01',
    );
    expect(encodeRegisterTarget({ ...device, apiVersion: '2019-03-31', forceRegistration: true })).toBe(
      '/0ne000A247E/registrations/my-device-1/register?api-version=2019-03-31&forceRegistration=true',
    );
    expect(encodeOperationStatusTarget({ ...device, operationId })).toBe(
      `/0ne000A247E/registrations/my-device-1/operations/${operationId}?api-version=2021-06-01`,
    );
    expect(encodeStatusLookupTarget(device)).toBe(
      '/0ne000A247E/registrations/my-device-1?api-version=2021-06-01',
    );
  });

  test('an id with a colon is escaped by us and read either way', () => {
    const target = encodeRegisterTarget({ idScope: 's', registrationId: 'a:b' });
    expect(target).toContain('/a%3Ab/');
    for (const text of [target, target.replace('%3A', ':'), target.replace('%3A', '%3a')]) {
      expect(parseDeviceTarget('PUT', text)).toMatchObject({ kind: 'register', registrationId: 'a:b' });
    }
  });

  test.each([
    [
      'PUT',
      '/s/registrations/r/register?api-version=2017-08-31-preview',
      { kind: 'register', forceRegistration: false },
    ],
    [
      'PUT',
      '/s/Registrations/r/REGISTER/?api-version=2019-03-31&forceRegistration=True',
      { forceRegistration: true },
    ],
    [
      'GET',
      `/s/registrations/r/operations/${operationId}?api-version=2019-03-31`,
      { kind: 'operation-status', operationId },
    ],
    ['POST', '/s/registrations/r?api-version=2021-10-01', { kind: 'status-lookup' }],
  ])('%s %s is read', (method, target, expected) => {
    expect(parseDeviceTarget(method, target)).toMatchObject({
      idScope: 's',
      registrationId: 'r',
      ...expected,
    });
  });

  test.each([
    '/',
    '/health',
    '/enrollments/x?api-version=2021-10-01',
    '/s/registrations',
    '/s/registrations/r/other',
    '/s/registrations/r/register/x',
    '/s/devices/r',
  ])('%s belongs to someone else', (target) => {
    expect(parseDeviceTarget('GET', target)).toBeUndefined();
  });

  test.each([
    ['GET', '/s/registrations/r/register?api-version=2019-03-31', 'ERR_REMOTE_UNEXPECTED', 'method'],
    ['DELETE', '/s/registrations/r?api-version=2019-03-31', 'ERR_REMOTE_UNEXPECTED', 'method'],
    ['PUT', '/s/registrations/r/register', 'ERR_REMOTE_MALFORMED', 'api-version'],
    ['PUT', '/s/registrations/r/register?api-version=', 'ERR_REMOTE_MALFORMED', 'api-version'],
    ['PUT', '/s/registrations/r/register?api-version=latest', 'ERR_REMOTE_MALFORMED', 'api-version'],
    ['PUT', '/s/registrations/r/register?api-version=2019-02-30', 'ERR_REMOTE_MALFORMED', 'api-version'],
    ['PUT', '/s%20/registrations/r/register?api-version=2019-03-31', 'ERR_REMOTE_MALFORMED', 'idScope'],
    [
      'PUT',
      '/s/registrations/a%2Fb/register?api-version=2019-03-31',
      'ERR_REMOTE_MALFORMED',
      'registrationId',
    ],
    ['PUT', '/s/registrations//register?api-version=2019-03-31', 'ERR_REMOTE_MALFORMED', 'registrationId'],
    ['GET', '/s/registrations/r/operations/..?api-version=2019-03-31', 'ERR_REMOTE_MALFORMED', 'operationId'],
    ['PUT', '/s/registrations/%E4/register?api-version=2019-03-31', 'ERR_REMOTE_MALFORMED', 'path'],
    ['PUT', 's/registrations/r/register?api-version=2019-03-31', 'ERR_REMOTE_MALFORMED', 'path'],
    ['PUT', `/${'x'.repeat(5000)}`, 'ERR_REMOTE_TOO_LARGE', 'path'],
  ])('%s %s is refused with %s at %s', (method, target, code, path) => {
    expect(thrownBy(() => parseDeviceTarget(method, target))).toMatchObject({ code, evidence: { path } });
  });

  test.each([
    [() => encodeRegisterTarget({ ...device, idScope: 'a/b' }), 'idScope'],
    [() => encodeRegisterTarget({ ...device, registrationId: '../x' }), 'registrationId'],
    [() => encodeRegisterTarget({ ...device, apiVersion: '2019' }), 'apiVersion'],
    [() => encodeOperationStatusTarget({ ...device, operationId: '..' }), 'operationId'],
  ])('an unusable part is refused by name (%#)', (action, argument) => {
    expect(thrownBy(action)).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', argument });
  });
});

describe('service API', () => {
  const kinds = Object.keys(serviceMethods) as ServiceOperation[];

  test.each(kinds)('%s comes back as it went', (kind) => {
    const target = encodeServiceTarget({ kind, registrationId: 'a:b' });
    expect(parseServiceTarget(serviceMethods[kind], target)).toEqual({
      kind,
      registrationId: 'a:b',
      apiVersion: '2021-10-01',
    });
  });

  test('targets are those of the REST reference', () => {
    expect(encodeServiceTarget({ kind: 'put-enrollment', registrationId: 'r' })).toBe(
      '/enrollments/r?api-version=2021-10-01',
    );
    expect(encodeServiceTarget({ kind: 'get-attestation-mechanism', registrationId: 'r' })).toBe(
      '/enrollments/r/attestationmechanism?api-version=2021-10-01',
    );
    expect(
      encodeServiceTarget({ kind: 'delete-registration', registrationId: 'r', apiVersion: '2018-04-01' }),
    ).toBe('/registrations/r?api-version=2018-04-01');
  });

  test('paths of other operations and of the device API are left to others', () => {
    for (const target of [
      '/',
      '/enrollments',
      '/enrollmentGroups/g',
      '/s/registrations/r',
      '/enrollments/a/b',
    ]) {
      expect(parseServiceTarget('GET', target)).toBeUndefined();
    }
  });

  test.each([
    ['PATCH', '/enrollments/r?api-version=2021-10-01', 'ERR_REMOTE_UNEXPECTED', 'method'],
    ['GET', '/enrollments/r/attestationmechanism?api-version=2021-10-01', 'ERR_REMOTE_UNEXPECTED', 'method'],
    ['GET', '/enrollments/a%20b?api-version=2021-10-01', 'ERR_REMOTE_MALFORMED', 'registrationId'],
    ['GET', '/enrollments/r', 'ERR_REMOTE_MALFORMED', 'api-version'],
  ])('%s %s is refused with %s at %s', (method, target, code, path) => {
    expect(thrownBy(() => parseServiceTarget(method, target))).toMatchObject({ code, evidence: { path } });
  });
});

describe('hub', () => {
  test('events go where the hub expects them, whatever the device id', () => {
    expect(encodeHubEventTarget({ deviceId: 'dev-1' })).toBe(
      '/devices/dev-1/messages/events?api-version=2021-04-12',
    );
    for (const deviceId of ["a%b#c+d'e", 'A:B=C']) {
      expect(parseHubTarget('POST', encodeHubEventTarget({ deviceId }))).toMatchObject({
        kind: 'send-event',
        deviceId,
      });
    }
  });

  test('other paths are left alone, other methods and ids refused', () => {
    expect(parseHubTarget('POST', '/devices/d/messages/devicebound')).toBeUndefined();
    expect(parseHubTarget('POST', '/twins/d/messages/events')).toBeUndefined();
    const version = '?api-version=2021-04-12';
    expect(thrownBy(() => parseHubTarget('GET', `/devices/d/messages/events${version}`))).toMatchObject({
      code: 'ERR_REMOTE_UNEXPECTED',
    });
    expect(thrownBy(() => parseHubTarget('POST', `/devices/%20/messages/events${version}`))).toMatchObject({
      evidence: { path: 'deviceId' },
    });
    expect(thrownBy(() => parseHubTarget('POST', '/devices/d/messages/events'))).toMatchObject({
      evidence: { path: 'api-version' },
    });
  });
});

describe('api-version', () => {
  test.each([
    ['2019-03-31', false],
    ['2017-08-31-preview', true],
  ])('%s', (text, preview) => {
    expect(parseApiVersion(text)).toEqual({ text, date: text.slice(0, 10), preview });
    expect(validateApiVersion(text)).toBe(text);
  });

  test.each(['2019-3-31', '2019-13-01', '2019-03-31-beta', '2019-03-31 ', 'latest'])(
    '%j is refused',
    (text) => {
      expect(thrownBy(() => parseApiVersion(text))).toMatchObject({ code: 'ERR_REMOTE_MALFORMED' });
      expect(thrownBy(() => validateApiVersion(text))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    },
  );
});

const idScopes = fc.stringMatching(/^[A-Za-z0-9]{1,20}$/);
const registrationIds = fc.stringMatching(/^[A-Za-z0-9\-._:]{0,100}[A-Za-z0-9-]$/);
const operationIds = fc
  .string({
    minLength: 1,
    maxLength: 60,
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  })
  .filter((text) => !/^\.{1,2}$/.test(text));

test('every target comes back as it went, and a URL parser leaves it as it is', () => {
  fc.assert(
    fc.property(
      idScopes,
      registrationIds,
      operationIds,
      fc.boolean(),
      (idScope, registrationId, id, force) => {
        const register = encodeRegisterTarget({ idScope, registrationId, forceRegistration: force });
        const poll = encodeOperationStatusTarget({ idScope, registrationId, operationId: id });
        const common = { idScope, registrationId, apiVersion: '2021-06-01' };
        expect(parseDeviceTarget('PUT', register)).toEqual({
          kind: 'register',
          ...common,
          forceRegistration: force,
        });
        expect(parseDeviceTarget('GET', poll)).toEqual({
          kind: 'operation-status',
          ...common,
          operationId: id,
        });
        for (const target of [register, poll]) {
          const url = new URL(target, 'https://host.example');
          expect(`${url.pathname}${url.search}`).toBe(target);
        }
      },
    ),
  );
});

test('any method and target is decoded, nobody’s, or refused with RemoteProtocolError', () => {
  const words = fc.constantFrom(
    'registrations',
    'register',
    'operations',
    'enrollments',
    'devices',
    'messages',
    'events',
    '%',
    '%2F',
    '..',
    '',
  );
  const targets = fc
    .tuple(
      fc.array(fc.oneof(words, fc.string({ maxLength: 6 })), { maxLength: 6 }),
      fc.string({ maxLength: 30 }),
    )
    .map(([segments, query]) => `/${segments.join('/')}?${query}`);
  fc.assert(
    fc.property(
      fc.constantFrom('GET', 'PUT', 'POST', 'x'),
      fc.oneof(targets, fc.string()),
      (method, target) => {
        for (const parse of [parseDeviceTarget, parseServiceTarget, parseHubTarget]) {
          try {
            parse(method, target);
          } catch (error) {
            expect(error).toMatchObject({ name: 'RemoteProtocolError' });
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});
