/** Oracle: the wire of the official clients, as their sources and captures show it, and the conditions of AMQP 1.0 part 2.8. */
import { Secret, isEndorseError } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import {
  amqpErrorToServiceError,
  conditionOfStatus,
  decodeDeviceMessage,
  decodeOperationReply,
  decodeSaslPlain,
  encodeOperationReply,
  encodeOperationStatusMessage,
  encodeRegisterMessage,
  encodeRegistrationLink,
  encodeSaslPlain,
  encodeServiceErrorBody,
  encodeStateReply,
  parseRegistrationLink,
  saslOutcomeToServiceError,
} from '@endorse/protocol';
import { thrownBy } from './vectors.ts';

const options = { attempted: 'register my-device', nowMs: 1_700_000_000_000 };

describe('link addresses', () => {
  const link = { idScope: '0ne1', registrationId: 'My-Device' };

  test.each([
    ['Node.js and C#', '0ne1/registrations/My-Device'],
    ['Java', '/0ne1/registrations/My-Device'],
    ['C', 'amqps://dps.example.test:5671/0ne1/registrations/My-Device'],
    ['any, with a slash at the end', '0ne1/registrations/My-Device/'],
    ['any, in another case', '0ne1/Registrations/My-Device'],
  ])('of %s name the registration', (_client, address) => {
    expect(parseRegistrationLink(address)).toEqual(link);
  });

  test.each([
    '',
    '$cbs',
    '0ne1/registrations/',
    '0ne1/devices/a',
    '/devices/a/messages/events',
    'a/b/registrations/c',
    'amqps://host',
  ])('that name no registration, like %j, are none', (address) => {
    expect(parseRegistrationLink(address)).toBeUndefined();
  });

  test('are written as Node.js writes them, and not for an unusable name', () => {
    expect(encodeRegistrationLink(link)).toBe('0ne1/registrations/My-Device');
    expect(() => encodeRegistrationLink({ ...link, registrationId: 'a b' })).toThrowError(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    );
  });
});

describe('messages of devices', () => {
  test('register', () => {
    const registrationInfo = { registrationId: 'r', payload: { a: 1 }, forceRegistration: true };
    const message = encodeRegisterMessage({ registrationInfo });
    expect(message.applicationProperties).toEqual({
      'iotdps-operation-type': 'iotdps-register',
      'iotdps-forceRegistration': true,
    });
    expect(JSON.parse(Buffer.from(message.body as Uint8Array).toString())).toEqual({
      registrationId: 'r',
      payload: { a: 1 },
    });
    expect(decodeDeviceMessage(message)).toMatchObject({ kind: 'register', forceRegistration: true });
    expect(
      encodeRegisterMessage({ registrationInfo: { registrationId: 'r' } }).applicationProperties,
    ).toEqual({ 'iotdps-operation-type': 'iotdps-register', 'iotdps-forceRegistration': false });
  });

  test('query', () => {
    const message = encodeOperationStatusMessage({ registrationId: 'r', operationId: '5.op' });
    expect(message).toEqual({
      applicationProperties: {
        'iotdps-operation-type': 'iotdps-get-operationstatus',
        'iotdps-operation-id': '5.op',
      },
      body: '',
    });
    expect(decodeDeviceMessage(message)).toEqual({ kind: 'operation-status', operationId: '5.op' });
  });

  test.each([
    ['C and Java: no force, JSON in a poll', { 'iotdps-operation-type': 'iotdps-register' }, 'register'],
    ['nobody yet', { 'iotdps-operation-type': 'iotdps-get-registration' }, 'status-lookup'],
  ])('of %s are read', (_client, applicationProperties, kind) => {
    expect(decodeDeviceMessage({ applicationProperties })).toMatchObject({ kind });
  });

  test.each([
    ['no operation', {}],
    ['an unknown operation', { 'iotdps-operation-type': 'iotdps-dance' }],
    ['an operation that is no text', { 'iotdps-operation-type': 7 }],
    ['a map with a key toString as operation', { 'iotdps-operation-type': { toString: [] } }],
    ['no operation id', { 'iotdps-operation-type': 'iotdps-get-operationstatus' }],
    [
      'an empty operation id',
      { 'iotdps-operation-type': 'iotdps-get-operationstatus', 'iotdps-operation-id': '' },
    ],
    [
      'a number as operation id',
      { 'iotdps-operation-type': 'iotdps-get-operationstatus', 'iotdps-operation-id': 5 },
    ],
  ])('with %s are refused', (_title, applicationProperties) => {
    expect(thrownBy(() => decodeDeviceMessage({ applicationProperties }))).toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
    });
  });
});

describe('answers', () => {
  const operation = { operationId: '5.op', status: 'assigning' } as const;

  test('carry the pause in both spellings', () => {
    const reply = encodeOperationReply(operation, 3);
    expect(reply.applicationProperties).toEqual({
      'iotdps-status': 'assigning',
      'retry-after': 3,
      'Retry-After': 3,
    });
    expect(decodeOperationReply(reply, options)).toEqual({ operation, retryAfterMs: 3000 });
  });

  test.each([
    [{ 'retry-after': '5' }, 5000],
    [{ 'Retry-After': 5 }, 5000],
    [{ 'retry-after': 0, 'Retry-After': 5 }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': -1 }, undefined],
    [{ 'retry-after': {} }, undefined],
    [{}, undefined],
  ])('with %j ask for a pause of %s ms', (applicationProperties, retryAfterMs) => {
    const body = '{"operationId":"5.op","status":"assigning"}';
    expect(decodeOperationReply({ applicationProperties, body }, options)).toEqual(
      retryAfterMs === undefined ? { operation } : { operation, retryAfterMs },
    );
  });

  test('tell a state', () => {
    const reply = encodeStateReply({ registrationId: 'r', status: 'assigned' });
    expect(reply.applicationProperties).toEqual({ 'iotdps-status': 'assigned' });
  });

  test.each([
    [undefined, 'ERR_REMOTE_MALFORMED'],
    ['', 'ERR_REMOTE_MALFORMED'],
    ['[]', 'ERR_REMOTE_MALFORMED'],
    ['{"operationId":"5.op","status":"dancing"}', 'ERR_REMOTE_UNEXPECTED'],
  ])('with the body %j are refused', (body, code) => {
    const message = { applicationProperties: {}, ...(body === undefined ? {} : { body }) };
    expect(thrownBy(() => decodeOperationReply(message, options))).toMatchObject({ code });
  });
});

describe('errors', () => {
  const description = encodeServiceErrorBody({
    errorCode: 404_201,
    trackingId: 't',
    message: 'Enrollment not found',
  });

  test('say the service code, its tracking id and the pause', () => {
    const error = amqpErrorToServiceError(
      { condition: 'amqp:not-found', description, info: { 'retry-after': 7 } },
      options,
    );
    expect(error).toMatchObject({
      code: 'ERR_SERVICE_NOT_FOUND',
      status: 404,
      serviceCode: 404_201,
      trackingId: 't',
      retryAfterMs: 7000,
      retryable: false,
      remedy: expect.stringContaining('enrollment') as unknown,
    });
    expect(error.message).toBe(
      'register my-device: the service answered amqp:not-found (code 404201): Enrollment not found',
    );
  });

  // The official client retries the first two.
  test.each([
    ['amqp:internal-error', 'ERR_SERVICE_UNAVAILABLE', true],
    ['com.microsoft:device-container-throttled', 'ERR_SERVICE_THROTTLED', true],
    ['amqp:unauthorized-access', 'ERR_SERVICE_UNAUTHORIZED', false],
    ['amqp:link:detach-forced', 'ERR_SERVICE_UNAVAILABLE', true],
    ['amqp:not-implemented', 'ERR_SERVICE_UNAVAILABLE', false],
    ['com.example:unheard-of', 'ERR_SERVICE_OTHER', false],
  ])('of condition %s without a body are %s', (condition, code, retryable) => {
    for (const text of [undefined, 'plain words', '{"errorCode":"x"}', '{"errorCode":7}']) {
      const error = amqpErrorToServiceError(
        { condition, ...(text === undefined ? {} : { description: text }) },
        options,
      );
      expect(error).toMatchObject({
        code,
        retryable,
        serviceCode: text === '{"errorCode":7}' ? 7 : undefined,
      });
    }
  });

  test.each(['__proto__', 'constructor', 'toString'])(
    'of condition %s have a number as status',
    (condition) => {
      expect(amqpErrorToServiceError({ condition }, options)).toMatchObject({
        status: 0,
        code: 'ERR_SERVICE_OTHER',
      });
    },
  );

  test('forge no log lines', () => {
    const error = amqpErrorToServiceError({ condition: 'a\nb', description: 'c\r\nd' }, options);
    expect(error.message).toBe('register my-device: the service answered a b: c d');
  });

  test('are written with a condition for every status', () => {
    expect([400, 401, 404, 429, 500, 503, 418, 599].map(conditionOfStatus)).toEqual([
      'com.microsoft:argument-error',
      'amqp:unauthorized-access',
      'amqp:not-found',
      'com.microsoft:device-container-throttled',
      'amqp:internal-error',
      'com.microsoft:server-busy',
      'amqp:not-allowed',
      'amqp:internal-error',
    ]);
  });

  test.each([
    [1, 401, false],
    [2, 500, true],
    [3, 501, false],
    [4, 503, true],
    [9, 401, false],
  ])('of SASL outcome %s have status %s', (code, status, retryable) => {
    expect(saslOutcomeToServiceError(code, 'register r')).toMatchObject({ status, retryable });
  });
});

describe('SASL PLAIN', () => {
  // RFC 4616 section 4, the first example, with an empty authorization identity.
  test('is what the RFC shows', () => {
    const response = encodeSaslPlain('tim', Secret.fromText('tanstaaftanstaaf'));
    expect(Buffer.from(response).toString()).toBe('\0tim\0tanstaaftanstaaf');
    expect(decodeSaslPlain(response)).toEqual({ username: 'tim', password: 'tanstaaftanstaaf' });
  });

  test.each(['', 'tim\0secret-word', '\0tim', '\0\0secret-word', '\0tim\0secret-word\0', '\0tim\0'])(
    'refuses %j without showing it',
    (text) => {
      const error = thrownBy(() => decodeSaslPlain(Buffer.from(text)));
      expect(error).toMatchObject({ code: 'ERR_REMOTE_MALFORMED' });
      expect(JSON.stringify(error) + String(error)).not.toContain('secret-word');
    },
  );

  test('does not fit a SASL frame with more than 480 bytes', () => {
    expect(encodeSaslPlain('u', Secret.fromText('p'.repeat(475)))).toHaveLength(478);
    const error = thrownBy(() => encodeSaslPlain('u', Secret.fromText('p'.repeat(479))));
    expect(isEndorseError(error) && error.code).toBe('ERR_LOCAL_UNENCODABLE');
  });
});
