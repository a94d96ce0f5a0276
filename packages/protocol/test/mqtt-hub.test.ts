/** Oracle: the topics and samples of the hub's MQTT guide, and the user names that the official clients send. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeDesiredPatch,
  decodeTwinBody,
  encodeDesiredPatch,
  encodeDeviceToHubTopic,
  encodeHubToDeviceTopic,
  encodeHubUserName,
  encodeTwinBody,
  hubFilters,
  parseDeviceToHubTopic,
  parseHubToDeviceTopic,
  parseHubUserName,
  parseRegistrationResponseTopic,
  parseRegistrationTopic,
  parseRegistrationUserName,
  type DeviceToHubTopic,
  type HubToDeviceTopic,
} from '@endorse/protocol';
import { thrownBy } from './vectors.ts';

describe('what a device publishes', () => {
  test.each<readonly [string, DeviceToHubTopic]>([
    ['$iothub/twin/GET/?$rid=1', { kind: 'get-twin', requestId: '1' }],
    ['$iothub/twin/PATCH/properties/reported/?$rid=a-b', { kind: 'patch-reported', requestId: 'a-b' }],
    ['$iothub/methods/res/200/?$rid=4', { kind: 'method-response', requestId: '4', status: 200 }],
    [
      'devices/dev-1/messages/events/$.ct=application%2Fjson&$.ce=utf-8&level=high',
      {
        kind: 'telemetry',
        deviceId: 'dev-1',
        system: { ct: 'application/json', ce: 'utf-8' },
        properties: { level: 'high' },
      },
    ],
  ])('%s', (topic, message) => {
    expect(parseDeviceToHubTopic(topic)).toEqual(message);
    expect(encodeDeviceToHubTopic(message)).toBe(topic);
  });

  test.each([
    ['devices/d/messages/events', {}],
    ['devices/d/messages/events/', {}],
    ['devices/d/messages/events/?a=b/', { properties: { a: 'b' } }],
    ['devices/d/messages/events/a=%26%3D%2F&b', { properties: { a: '&=/', b: '' } }],
    ['devices/d/messages/events/%24.mid=7', { system: { mid: '7' } }],
    ['devices/d/modules/m/messages/events/', { moduleId: 'm' }],
  ])('%s is telemetry', (topic, expected) => {
    expect(parseDeviceToHubTopic(topic)).toMatchObject({ kind: 'telemetry', deviceId: 'd', ...expected });
  });

  test('an id that no topic could hold is encoded', () => {
    expect(encodeDeviceToHubTopic({ kind: 'telemetry', deviceId: 'a#b+c' })).toBe(
      'devices/a%23b%2Bc/messages/events/',
    );
  });

  test.each([
    'devices/d/messages/devicebound/',
    'devices//messages/events/',
    '$iothub/twin/DELETE/?$rid=1',
    'x',
  ])('%s is no topic of the hub', (topic) => {
    expect(parseDeviceToHubTopic(topic)).toBeUndefined();
  });

  test.each([
    ['$iothub/twin/GET/', '$rid'],
    ['$iothub/methods/res/ok/?$rid=1', 'status'],
    ['devices/d/messages/events/a=%zz', 'property'],
  ])('%s is refused', (topic, path) => {
    expect(thrownBy(() => parseDeviceToHubTopic(topic))).toMatchObject({ evidence: { path } });
  });
});

describe('what a hub publishes', () => {
  test.each<readonly [string, HubToDeviceTopic]>([
    ['$iothub/twin/res/200/?$rid=1', { kind: 'twin-response', requestId: '1', status: 200 }],
    [
      '$iothub/twin/res/204/?$rid=1&$version=6',
      { kind: 'twin-response', requestId: '1', status: 204, version: 6 },
    ],
    ['$iothub/twin/PATCH/properties/desired/?$version=8', { kind: 'desired-properties', version: 8 }],
    ['$iothub/methods/POST/reboot/?$rid=4', { kind: 'method', requestId: '4', methodName: 'reboot' }],
  ])('%s', (topic, message) => {
    expect(parseHubToDeviceTopic(topic)).toEqual(message);
    expect(encodeHubToDeviceTopic(message)).toBe(topic);
    const filters = Object.values(hubFilters).map((filter) => filter.slice(0, -1));
    expect(filters.some((filter) => topic.startsWith(filter))).toBe(true);
  });

  test.each([
    ['$iothub/twin/res/2/?$rid=1', 'status'],
    ['$iothub/twin/res/200/', '$rid'],
    ['$iothub/twin/PATCH/properties/desired/?$version=x', '$version'],
    ['$iothub/methods/POST/%/?$rid=1', 'method name'],
  ])('%s is refused', (topic, path) => {
    expect(thrownBy(() => parseHubToDeviceTopic(topic))).toMatchObject({ evidence: { path } });
  });

  test('a number that is none is refused', () => {
    expect(
      thrownBy(() => encodeHubToDeviceTopic({ kind: 'desired-properties', version: 1.5 })),
    ).toMatchObject({ argument: 'version' });
  });
});

describe('twin', () => {
  test('is the sample of the guide', () => {
    const body =
      '{"desired":{"telemetrySendFrequency":"5m","$version":12},"reported":{"batteryLevel":55,"$version":123}}';
    const twin = {
      desired: { properties: { telemetrySendFrequency: '5m' }, version: 12 },
      reported: { properties: { batteryLevel: 55 }, version: 123 },
    };
    expect(decodeTwinBody(body)).toEqual(twin);
    expect(encodeTwinBody(twin)).toBe(body);
  });

  test('a patch of desired properties is the sample of the guide', () => {
    const body = '{"telemetrySendFrequency":"5m","route":null,"$version":8}';
    const patch = { properties: { telemetrySendFrequency: '5m', route: null }, version: 8 };
    expect(decodeDesiredPatch(body)).toEqual(patch);
    expect(encodeDesiredPatch(patch)).toBe(body);
  });

  test.each([
    '{}',
    '{"desired":{"$version":1},"reported":[]}',
    '{"desired":{},"reported":{"$version":1}}',
    '[',
    '',
  ])('%s is refused', (body) => {
    expect(thrownBy(() => decodeTwinBody(body))).toMatchObject({ code: 'ERR_REMOTE_MALFORMED' });
  });
});

describe('user name', () => {
  test.each([
    ['hub.example/dev-1/?api-version=2021-04-12&DeviceClientType=azure-iot-device%2F1.18.3', {}],
    ['hub.example/dev-1/api-version=2016-11-14', { apiVersion: '2016-11-14' }],
    ['localhost:8443/dev-1/?api-version=2021-04-12', { hubHost: 'localhost:8443' }],
    ['hub.example/dev-1/mod-1/?api-version=2021-04-12', { moduleId: 'mod-1' }],
    ['hub.example/a%b#c/?api-version=2021-04-12', { deviceId: 'a%b#c' }],
  ])('%s is read', (userName, expected) => {
    expect(parseHubUserName(userName)).toEqual({
      hubHost: 'hub.example',
      deviceId: 'dev-1',
      apiVersion: '2021-04-12',
      ...expected,
    });
  });

  test('is that of the official clients', () => {
    const device = { hubHost: 'hub.example', deviceId: 'dev-1' };
    expect(encodeHubUserName({ ...device, clientType: 'azure-iot-device/1.18.3' })).toBe(
      'hub.example/dev-1/?api-version=2021-04-12&DeviceClientType=azure-iot-device%2F1.18.3',
    );
    expect(encodeHubUserName({ ...device, hubHost: 'localhost:8443' })).toBe(
      'localhost:8443/dev-1/?api-version=2021-04-12',
    );
  });

  test.each([
    ['hub.example/dev-1', 'api-version'],
    ['/dev-1/?api-version=2021-04-12', 'host'],
    ['a/b/c/d/?api-version=2021-04-12', 'host'],
    ['hub.example/a b/?api-version=2021-04-12', 'deviceId'],
    ['hub.example/dev-1/?api-version=x', 'api-version'],
  ])('%s is refused', (userName, path) => {
    expect(thrownBy(() => parseHubUserName(userName))).toMatchObject({ evidence: { path } });
  });
});

test('telemetry comes back as it went, whatever its properties', () => {
  const bags = fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => !name.startsWith('$.')),
    fc.string(),
  );
  fc.assert(
    fc.property(bags, bags, (properties, system) => {
      const topic = encodeDeviceToHubTopic({ kind: 'telemetry', deviceId: 'd', properties, system });
      expect(topic).not.toMatch(/[#+]/);
      expect(parseDeviceToHubTopic(topic)).toEqual({ kind: 'telemetry', deviceId: 'd', properties, system });
    }),
  );
});

test('any topic, user name or body is decoded, nobody’s, or refused with RemoteProtocolError', () => {
  const words = fc.constantFrom(
    '$dps',
    'registrations',
    'res',
    'PUT',
    'iotdps-register',
    '$iothub',
    'twin',
    'methods',
    'POST',
    'devices',
    'messages',
    'events',
    '?$rid=1',
    '&$version=',
    'api-version=2019-03-31',
    '%',
    '%2F',
    '',
  );
  const topics = fc
    .array(fc.oneof(words, fc.string({ maxLength: 6 })), { maxLength: 7 })
    .map((each) => each.join('/'));
  const parsers = [
    parseDeviceToHubTopic,
    parseHubToDeviceTopic,
    parseRegistrationTopic,
    parseRegistrationResponseTopic,
    parseRegistrationUserName,
    parseHubUserName,
    decodeTwinBody,
    decodeDesiredPatch,
  ];
  fc.assert(
    fc.property(fc.oneof(topics, fc.string()), (text) => {
      for (const parse of parsers) {
        try {
          parse(text);
        } catch (error) {
          expect(error).toMatchObject({ name: 'RemoteProtocolError' });
        }
      }
    }),
    { numRuns: 500 },
  );
});
