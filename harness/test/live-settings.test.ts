import { describe, expect, test } from 'vitest';
import { createLiveId, readLiveId } from '../support/service/live-ids.ts';
import { LiveSettingsError, readLiveSettings } from '../support/service/live-settings.ts';

const complete = {
  ENDORSE_LIVE_CONNECTION_STRING:
    'HostName=plant.azure-devices-provisioning.net;SharedAccessKeyName=owner;SharedAccessKey=c2VjcmV0LXNlY3JldA==',
  ENDORSE_LIVE_ID_SCOPE: '0ne00ABCDEF',
};

describe('the settings of a live run', () => {
  test('are the global endpoint, its ports and the CAs of Node.js, unless said otherwise', () => {
    expect(readLiveSettings(complete)).toMatchObject({
      idScope: '0ne00ABCDEF',
      provisioningHost: 'global.azure-devices-provisioning.net:443',
      endpoints: {
        http: 'https://global.azure-devices-provisioning.net:443',
        amqp: 'amqps://global.azure-devices-provisioning.net:5671',
        mqtt: 'mqtts://global.azure-devices-provisioning.net:8883',
      },
      caPem: expect.stringContaining('-----BEGIN CERTIFICATE-----') as string,
    });
  });

  test('take another host, and ports by carrier', () => {
    const settings = readLiveSettings({
      ...complete,
      ENDORSE_LIVE_HOST: 'dps.example.test',
      ENDORSE_LIVE_PORTS: 'http=8443, mqtt=1884',
    });
    expect(settings?.endpoints).toEqual({
      http: 'https://dps.example.test:8443',
      amqp: 'amqps://dps.example.test:5671',
      mqtt: 'mqtts://dps.example.test:1884',
    });
  });

  test('are none when no variable is set, or only empty ones', () => {
    expect(readLiveSettings({ CI: 'true' })).toBeUndefined();
    expect(readLiveSettings({ ENDORSE_LIVE_ID_SCOPE: '' })).toBeUndefined();
  });

  const { ENDORSE_LIVE_CONNECTION_STRING: connectionString, ENDORSE_LIVE_ID_SCOPE: idScope } = complete;
  const refused: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    [
      'half of them',
      { ENDORSE_LIVE_CONNECTION_STRING: connectionString },
      /ENDORSE_LIVE_ID_SCOPE is missing, and ENDORSE_LIVE_CONNECTION_STRING is set/,
    ],
    ['the other half', { ENDORSE_LIVE_ID_SCOPE: idScope }, /ENDORSE_LIVE_CONNECTION_STRING is missing/],
    ['a host alone', { ENDORSE_LIVE_HOST: 'dps.example.test' }, /ENDORSE_LIVE_CONNECTION_STRING is missing/],
    [
      'a connection string without its key',
      { ...complete, ENDORSE_LIVE_CONNECTION_STRING: 'HostName=a.test;SharedAccessKeyName=b' },
      /ENDORSE_LIVE_CONNECTION_STRING: .*SharedAccessKey/,
    ],
    ['an ID scope that is none', { ...complete, ENDORSE_LIVE_ID_SCOPE: 'a/b' }, /ENDORSE_LIVE_ID_SCOPE/],
    [
      'a host with a port',
      { ...complete, ENDORSE_LIVE_HOST: 'dps.example.test:8443' },
      /ENDORSE_LIVE_HOST: .*ENDORSE_LIVE_PORTS/,
    ],
    ['a host that is a URL', { ...complete, ENDORSE_LIVE_HOST: 'https://a.test' }, /ENDORSE_LIVE_HOST: /],
    [
      'a port of nobody',
      { ...complete, ENDORSE_LIVE_PORTS: 'coap=5684' },
      /ENDORSE_LIVE_PORTS: must be like/,
    ],
    ['a port out of range', { ...complete, ENDORSE_LIVE_PORTS: 'http=70000' }, /ENDORSE_LIVE_PORTS: /],
    [
      'a CA file that is not there',
      { ...complete, ENDORSE_LIVE_CA_FILE: '/none.pem' },
      /ENDORSE_LIVE_CA_FILE: /,
    ],
    ['CI', { ...complete, CI: 'true' }, /CI is set/],
  ];
  test.for(refused)('are refused before anybody is contacted: %s', ([, environment, message]) => {
    const read = (): unknown => readLiveSettings(environment);
    expect(read).toThrow(LiveSettingsError);
    expect(read).toThrow(message);
    expect(read).not.toThrow(/c2VjcmV0/);
  });
});

describe('an id of a live run', () => {
  test('tells when it was made, to the second', () => {
    expect(readLiveId(createLiveId(1_796_018_160_500))).toBe(1_796_018_160_000);
  });

  test('is not taken for one when it is somebody’s', () => {
    for (const id of [
      'endorse-live-1',
      'my-endorse-live-1796018160-00c0ffee',
      'endorse-live-1796018160-pump',
    ]) {
      expect(readLiveId(id)).toBeUndefined();
    }
  });
});
