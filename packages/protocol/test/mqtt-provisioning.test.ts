/**
 * Oracle: the service's own MQTT guide (topics and their samples), and what the official clients of Node.js, C, C#,
 * Python and embedded C write.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeRegistrationResponseMessage,
  encodeOperationStatusTopic,
  encodeRegisterTopic,
  encodeRegistrationResponseTopic,
  encodeRegistrationUserName,
  parseRegistrationResponseTopic,
  parseRegistrationTopic,
  parseRegistrationUserName,
} from '@endorse/protocol';
import { readVectors, thrownBy } from './vectors.ts';

const operationId = '5.316aac5bdc130deb.b1e02da8-1a43-4d1e-9b3c-2f5b6a7c8d9e';
const guid = 'b1e02da8-1a43-4d1e-9b3c-2f5b6a7c8d9e';

describe('requests', () => {
  test('topics are those of the guide', () => {
    expect(encodeRegisterTopic('7')).toBe('$dps/registrations/PUT/iotdps-register/?$rid=7');
    expect(encodeOperationStatusTopic(guid, operationId)).toBe(
      `$dps/registrations/GET/iotdps-get-operationstatus/?$rid=${guid}&operationId=${operationId}`,
    );
  });

  test.each([
    ['$dps/registrations/PUT/iotdps-register/?$rid=1', { kind: 'register', requestId: '1' }],
    [
      `$dps/registrations/GET/iotdps-get-operationstatus/?$rid=${guid}&operationId=${operationId}`,
      { kind: 'operation-status', requestId: guid, operationId },
    ],
    [
      '$dps/registrations/GET/iotdps-get-operationstatus/?operationId=a%2fb&$rid=%7b1%7d',
      { kind: 'operation-status', requestId: '%7b1%7d', operationId: 'a/b' },
    ],
    ['$dps/registrations/DELETE/iotdps-register/?$rid=1', undefined],
    ['devices/d/messages/events/', undefined],
  ])('%s', (topic, expected) => {
    expect(parseRegistrationTopic(topic)).toEqual(expected);
  });

  test.each([
    ['$dps/registrations/PUT/iotdps-register/', '$rid'],
    ['$dps/registrations/PUT/iotdps-register/?$rid=', '$rid'],
    [`$dps/registrations/PUT/iotdps-register/?$rid=${'x'.repeat(129)}`, '$rid'],
    ['$dps/registrations/PUT/iotdps-register/?$rid=a#b', '$rid'],
    ['$dps/registrations/GET/iotdps-get-operationstatus/?$rid=1', 'operationId'],
    ['$dps/registrations/GET/iotdps-get-operationstatus/?$rid=1&operationId=%', 'operationId'],
    ['$dps/registrations/GET/iotdps-get-operationstatus/?$rid=1&operationId=a%20b', 'operationId'],
    [`$dps/${'x'.repeat(70_000)}`, 'topic'],
  ])('a broken topic is refused by its part (%#)', (topic, path) => {
    expect(thrownBy(() => parseRegistrationTopic(topic))).toMatchObject({
      name: 'RemoteProtocolError',
      evidence: { path },
    });
  });

  test('a request id that would break the topic is refused', () => {
    for (const requestId of ['', 'a&b', 'a/b', 'a+b', 'a#b', 'a?b', 'ä', 'x'.repeat(129)]) {
      expect(thrownBy(() => encodeRegisterTopic(requestId))).toMatchObject({ argument: 'requestId' });
    }
    expect(thrownBy(() => encodeOperationStatusTopic('1', ''))).toMatchObject({ argument: 'operationId' });
  });
});

describe('answers', () => {
  const bodies = readVectors('bodies') as Readonly<Record<string, string>>;
  const payload = (text = ''): Uint8Array => new TextEncoder().encode(text);
  const attempted = 'register device-1';

  test('the request id comes first, the pause in whole seconds', () => {
    expect(encodeRegistrationResponseTopic({ status: 202, requestId: '1', retryAfterMs: 2_001 })).toBe(
      '$dps/registrations/res/202/?$rid=1&retry-after=3',
    );
    expect(encodeRegistrationResponseTopic({ status: 200, requestId: guid })).toBe(
      `$dps/registrations/res/200/?$rid=${guid}`,
    );
    expect(thrownBy(() => encodeRegistrationResponseTopic({ status: 20, requestId: '1' }))).toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
  });

  test.each([
    ['$dps/registrations/res/202/?$rid=1&retry-after=3', { status: 202, requestId: '1', retryAfter: '3' }],
    ['$dps/registrations/res/401/?retry-after=x&$rid=1', { status: 401, requestId: '1', retryAfter: 'x' }],
    [
      '$dps/registrations/res/200/?$rid=1&Retry-After=0&more=y',
      { status: 200, requestId: '1', retryAfter: '0' },
    ],
    ['$dps/registrations/PUT/iotdps-register/?$rid=1', undefined],
  ])('%s', (topic, expected) => {
    expect(parseRegistrationResponseTopic(topic)).toEqual(expected);
  });

  test.each([
    ['$dps/registrations/res/20x/?$rid=1', 'status'],
    ['$dps/registrations/res/099/?$rid=1', 'status'],
    ['$dps/registrations/res//?$rid=1', 'status'],
    ['$dps/registrations/res/200/', '$rid'],
  ])('%s is refused', (topic, path) => {
    expect(thrownBy(() => parseRegistrationResponseTopic(topic))).toMatchObject({ evidence: { path } });
  });

  test('a body is read like the same body over HTTP', () => {
    const topic = { status: 202, requestId: '1', retryAfter: '3' };
    const message = { topic, payload: payload(bodies['accepted']) };
    expect(decodeRegistrationResponseMessage(message, { attempted })).toEqual({
      operation: { operationId, status: 'assigning' },
      retryAfterMs: 3000,
    });
  });

  test('an error keeps its number, its text and its pause', () => {
    const error = '{"errorCode":429001,"trackingId":"t","message":"Too many requests"}';
    const message = { topic: { status: 429, requestId: '1', retryAfter: '5' }, payload: payload(error) };
    expect(thrownBy(() => decodeRegistrationResponseMessage(message, { attempted }))).toMatchObject({
      code: 'ERR_SERVICE_THROTTLED',
      serviceCode: 429_001,
      trackingId: 't',
      retryAfterMs: 5000,
      retryable: true,
    });
    const empty = { topic: { status: 401, requestId: '1' }, payload: payload() };
    expect(thrownBy(() => decodeRegistrationResponseMessage(empty, { attempted }))).toMatchObject({
      code: 'ERR_SERVICE_UNAUTHORIZED',
    });
  });

  test('a body that is none is refused', () => {
    const message = { topic: { status: 200, requestId: '1' }, payload: payload('{') };
    expect(thrownBy(() => decodeRegistrationResponseMessage(message, { attempted }))).toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
    });
  });
});

describe('user name', () => {
  const device = { idScope: '0ne000A247E', registrationId: 'my-device-1' };

  test('is that of the official Node client', () => {
    const clientVersion = 'azure-iot-provisioning-device-mqtt/1.8.1 (Node)';
    expect(encodeRegistrationUserName({ ...device, apiVersion: '2019-03-31', clientVersion })).toBe(
      '0ne000A247E/registrations/my-device-1/api-version=2019-03-31&ClientVersion=azure-iot-provisioning-device-mqtt%2F1.8.1%20%28Node%29',
    );
    expect(encodeRegistrationUserName(device)).toBe(
      '0ne000A247E/registrations/my-device-1/api-version=2021-06-01',
    );
  });

  test.each([
    '0ne000A247E/registrations/my-device-1/api-version=2019-03-31',
    // C does not encode what it sends.
    '0ne000A247E/registrations/my-device-1/api-version=2019-03-31&ClientVersion=prov_device/1.14.0',
    '0ne000A247E/registrations/my-device-1/api-version=2019-03-31&ClientVersion=py-azure-iot-device%2F2.14',
    '0ne000A247E/Registrations/my-device-1/?api-version=2019-03-31',
  ])('%s is read', (userName) => {
    expect(parseRegistrationUserName(userName)).toEqual({ ...device, apiVersion: '2019-03-31' });
  });

  test.each([
    ['', 'registrations'],
    ['scope/devices/r/api-version=2019-03-31', 'registrations'],
    ['sc ope/registrations/r/api-version=2019-03-31', 'idScope'],
    ['scope/registrations/r!/api-version=2019-03-31', 'registrationId'],
    ['scope/registrations/r', 'api-version'],
    ['scope/registrations/r/api-version=soon', 'api-version'],
    ['x'.repeat(70_000), 'user name'],
  ])('%j is refused', (userName, path) => {
    expect(thrownBy(() => parseRegistrationUserName(userName.slice(0, 70_000)))).toMatchObject({
      name: 'RemoteProtocolError',
      evidence: { path },
    });
  });
});

test('every topic and user name comes back as it went', () => {
  const requestIds = fc.oneof(fc.uuid(), fc.nat().map(String), fc.stringMatching(/^[!$%.:;=@-]{1,20}$/));
  const ids = fc.stringMatching(/^[A-Za-z0-9._:-]{0,20}[A-Za-z0-9-]$/);
  const operations = fc.stringMatching(/^[!-~]{1,40}$/).filter((text) => !/^\.{1,2}$/.test(text));
  fc.assert(
    fc.property(
      requestIds,
      ids,
      operations,
      fc.integer({ min: 100, max: 599 }),
      (requestId, id, op, status) => {
        expect(parseRegistrationTopic(encodeRegisterTopic(requestId))).toEqual({
          kind: 'register',
          requestId,
        });
        expect(parseRegistrationTopic(encodeOperationStatusTopic(requestId, op))).toEqual({
          kind: 'operation-status',
          requestId,
          operationId: op,
        });
        expect(
          parseRegistrationResponseTopic(encodeRegistrationResponseTopic({ status, requestId })),
        ).toEqual({
          status,
          requestId,
        });
        const userName = encodeRegistrationUserName({
          idScope: '0ne1',
          registrationId: id,
          clientVersion: op,
        });
        expect(parseRegistrationUserName(userName)).toMatchObject({ idScope: '0ne1', registrationId: id });
      },
    ),
  );
});
