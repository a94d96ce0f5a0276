/** Oracle: field names and rules of the published schema of the service API (2021-10-01), and the etags and connection strings it hands out. */
import { Secret } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import {
  createEtag,
  decodeAttestationMechanism,
  decodeIndividualEnrollment,
  encodeAttestationMechanism,
  encodeIndividualEnrollment,
  encodeRegistrationEtag,
  formatServiceConnectionString,
  formatTimestamp,
  matchesEtag,
  parseServiceConnectionString,
  parseTimestamp,
  type AttestationMechanism,
  type IndividualEnrollment,
} from '@endorse/protocol';
import { thrownBy } from './vectors.ts';

const endorsementKey = Uint8Array.from({ length: 316 }, (_, index) => index);
const base64Key = Buffer.from(endorsementKey).toString('base64');

const whole = {
  registrationId: 'my-device-1',
  deviceId: 'device',
  registrationState: { registrationId: 'my-device-1', status: 'assigned', assignedHub: 'h', later: 1 },
  attestation: { type: 'tpm', tpm: { endorsementKey: base64Key } },
  capabilities: { iotEdge: true },
  iotHubHostName: 'hub.azure-devices.net',
  initialTwin: { tags: { a: 1 }, properties: { desired: { b: null } } },
  optionalDeviceInformation: { note: 'x' },
  etag: '"13003fea-0000-0300-0000-62d1d5e50000"',
  provisioningStatus: 'disabled',
  reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: false },
  createdDateTimeUtc: '2022-07-15T21:04:05.1234567Z',
  lastUpdatedDateTimeUtc: '2022-07-15T21:04:05.1234567Z',
  allocationPolicy: 'custom',
  iotHubs: ['hub.azure-devices.net'],
  customAllocationDefinition: { webhookUrl: 'https://hook.example/', apiVersion: '2021-10-01' },
  credentialPolicyName: 'policy',
  fieldOfTheFuture: [1, 2],
};

describe('individual enrollment', () => {
  test('with every field of the schema comes back as it was', () => {
    const decoded = decodeIndividualEnrollment(JSON.stringify(whole));
    expect(decoded).toMatchObject({
      attestation: { type: 'tpm', endorsementKey },
      provisioningStatus: 'disabled',
      allocationPolicy: 'custom',
      extra: { fieldOfTheFuture: [1, 2] },
      registrationState: { extra: { later: 1 } },
    });
    expect(JSON.parse(encodeIndividualEnrollment(decoded))).toEqual(whole);
  });

  test('of a TPM device needs three fields', () => {
    const text = encodeIndividualEnrollment({
      registrationId: 'r',
      attestation: { type: 'tpm', endorsementKey },
    });
    expect(JSON.parse(text)).toEqual({ registrationId: 'r', attestation: whole.attestation });
  });

  test('may have words in any case, and defaults inside its policies', () => {
    const text =
      '{"registrationId":"r","deviceId":"","attestation":{"type":"None"},"provisioningStatus":"Enabled","allocationPolicy":"GeoLatency","reprovisionPolicy":{},"capabilities":{}}';
    expect(decodeIndividualEnrollment(text)).toEqual({
      registrationId: 'r',
      attestation: { type: 'none' },
      provisioningStatus: 'enabled',
      allocationPolicy: 'geoLatency',
      reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: true },
      capabilities: { iotEdge: false },
    });
  });

  test.each([
    [{ registrationId: undefined }, '$.registrationId'],
    [{ registrationId: 'a b' }, '$.registrationId'],
    [{ deviceId: 'a/b' }, '$.deviceId'],
    [{ attestation: undefined }, '$.attestation'],
    [{ attestation: {} }, '$.attestation.type'],
    [{ attestation: { type: 'pin' } }, '$.attestation.type'],
    [{ attestation: { type: 'tpm' } }, '$.attestation.tpm'],
    [{ attestation: { type: 'tpm', tpm: {} } }, '$.attestation.tpm.endorsementKey'],
    [{ attestation: { type: 'tpm', tpm: { endorsementKey: 'x' } } }, '$.attestation.tpm.endorsementKey'],
    [{ attestation: { type: 'x509', x509: {} } }, '$.attestation.x509'],
    [
      { attestation: { type: 'symmetricKey', symmetricKey: { primaryKey: 'AAAA' } } },
      '$.attestation.symmetricKey.primaryKey',
    ],
    [
      { attestation: { type: 'symmetricKey', symmetricKey: { primaryKey: 'A'.repeat(24) } } },
      '$.attestation.symmetricKey.primaryKey',
    ],
    [{ provisioningStatus: 'maybe' }, '$.provisioningStatus'],
    [{ allocationPolicy: 'random' }, '$.allocationPolicy'],
    [{ iotHubs: 'hub' }, '$.iotHubs'],
    [{ iotHubs: [7] }, '$.iotHubs[0]'],
    [{ capabilities: { iotEdge: 'yes' } }, '$.capabilities.iotEdge'],
    [{ customAllocationDefinition: { webhookUrl: 'x' } }, '$.customAllocationDefinition.apiVersion'],
  ])('%j is refused at its place', (change, path) => {
    expect(thrownBy(() => decodeIndividualEnrollment(JSON.stringify({ ...whole, ...change })))).toMatchObject(
      {
        name: 'RemoteProtocolError',
        code: 'ERR_REMOTE_MALFORMED',
        evidence: { path },
      },
    );
  });

  test.each([
    [{ registrationId: '' }, 'enrollment.registrationId'],
    [{ deviceId: 'a/b' }, 'enrollment.deviceId'],
    [{ provisioningStatus: 'maybe' }, 'enrollment.provisioningStatus'],
    [{ allocationPolicy: 'random' }, 'enrollment.allocationPolicy'],
    [{ attestation: undefined }, 'enrollment.attestation'],
    [{ attestation: { type: 'pin' } }, 'attestation.type'],
    [{ attestation: { type: 'tpm', endorsementKey: new Uint8Array(0) } }, 'attestation.endorsementKey'],
    [{ attestation: { type: 'x509' } }, 'attestation'],
    [
      { attestation: { type: 'symmetricKey', primaryKey: Secret.fromBytes(new Uint8Array(32)) } },
      'attestation',
    ],
    [
      {
        attestation: {
          type: 'symmetricKey',
          primaryKey: Secret.fromBytes(new Uint8Array(8)),
          secondaryKey: Secret.fromBytes(new Uint8Array(8)),
        },
      },
      'attestation',
    ],
    [{ initialTwin: { at: new Date() } }, 'enrollment'],
  ])('cannot be sent with case %#', (change, argument) => {
    const good = { registrationId: 'r', attestation: { type: 'tpm', endorsementKey } };
    const enrollment = { ...good, ...change } as unknown as IndividualEnrollment;
    expect(thrownBy(() => encodeIndividualEnrollment(enrollment))).toMatchObject({
      name: 'InvalidArgumentError',
      argument,
    });
  });
});

describe('attestation mechanism', () => {
  const primaryKey = Secret.fromBytes(new Uint8Array(64).fill(1));
  const secondaryKey = Secret.fromBytes(new Uint8Array(16).fill(2));

  test.each<AttestationMechanism>([
    { type: 'none' },
    { type: 'tpm', endorsementKey, storageRootKey: Uint8Array.of(1, 2, 3) },
    { type: 'symmetricKey' },
    { type: 'x509', clientCertificates: { primary: { certificate: 'PEM' } } },
    {
      type: 'x509',
      signingCertificates: { primary: { info: { version: 3 } }, secondary: { certificate: 'PEM' } },
    },
    { type: 'x509', caReferences: { primary: 'root' } },
  ])('$type comes back as it went', (attestation) => {
    expect(decodeAttestationMechanism(encodeAttestationMechanism(attestation))).toEqual(attestation);
  });

  test('symmetric keys travel in clear and arrive as secrets', () => {
    const text = encodeAttestationMechanism({ type: 'symmetricKey', primaryKey, secondaryKey });
    const decoded = decodeAttestationMechanism(text);
    if (decoded.type !== 'symmetricKey') throw new Error('another type came back');
    expect(decoded.primaryKey?.reveal()).toEqual(primaryKey.reveal());
    expect(decoded.secondaryKey?.reveal()).toEqual(secondaryKey.reveal());
    expect(JSON.stringify(decoded)).not.toContain(
      Buffer.from(primaryKey.reveal()).toString('base64').slice(0, 16),
    );
  });
});

describe('connection string', () => {
  const key = Buffer.from(Uint8Array.from({ length: 32 }, (_, index) => index)).toString('base64');
  const text = `HostName=mydps.azure-devices-provisioning.net;SharedAccessKeyName=provisioningserviceowner;SharedAccessKey=${key}`;

  test('of the service comes back as it was', () => {
    expect(formatServiceConnectionString(parseServiceConnectionString(text)).revealText()).toBe(text);
  });

  test('may be in any order and case, with a port and fields we do not know', () => {
    const parsed = parseServiceConnectionString(
      ` sharedaccesskey=${key} ;; Hostname=LOCALHOST:8443;UseDevelopmentEmulator=true;SharedAccessKeyName=p;`,
    );
    expect(parsed).toMatchObject({ hostName: 'localhost:8443', sharedAccessKeyName: 'p' });
    expect(parsed.sharedAccessKey.byteLength).toBe(32);
  });

  test.each([
    ['', 'has no HostName'],
    ['HostName=h', 'has no SharedAccessKeyName'],
    ['HostName=h;SharedAccessKeyName=p', 'has no SharedAccessKey'],
    ['HostName=h;SharedAccessKeyName=p;SharedAccessKey=*', 'not base64'],
    ['HostName=a b;SharedAccessKeyName=p;SharedAccessKey=AAAA', 'host name'],
    ['HostName=a;HostName=b', 'twice'],
    ['nonsense', 'Name=Value'],
  ])('%j is refused and not repeated', (bad, problem) => {
    const error = thrownBy(() => parseServiceConnectionString(bad, 'ENDORSE_CONNECTION_STRING')) as Error;
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', argument: 'ENDORSE_CONNECTION_STRING' });
    expect(error.message).toContain(problem);
  });

  test('is refused when it could not be read back', () => {
    const connection = { hostName: 'h', sharedAccessKeyName: 'a;b', sharedAccessKey: Secret.fromText('x') };
    expect(thrownBy(() => formatServiceConnectionString(connection))).toMatchObject({
      argument: 'connection.sharedAccessKeyName',
    });
    expect(thrownBy(() => parseServiceConnectionString(7 as unknown as string))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
  });
});

describe('etag', () => {
  const random = { bytes: (length: number) => new Uint8Array(length).fill(0xab) };

  test('is quoted, and base64 inside a registration state', () => {
    const etag = createEtag(random);
    expect(etag).toMatch(/^"abababab-0000-0300-0000-abababab0000"$/);
    expect(encodeRegistrationEtag('"69003552-0000-0300-0000-630fda8a0000"')).toBe(
      'IjY5MDAzNTUyLTAwMDAtMDMwMC0wMDAwLTYzMGZkYThhMDAwMCI=',
    );
  });

  test.each([
    ['"a"', '"a"', true],
    ['a', '"a"', true],
    ['W/"a"', '"a"', true],
    ['"b", "a"', '"a"', true],
    ['*', '"a"', true],
    ['"A"', '"a"', false],
    ['"b"', '"a"', false],
    ['', '"a"', false],
  ])('If-Match %s against %s: %j', (ifMatch, etag, expected) => {
    expect(matchesEtag(ifMatch, etag)).toBe(expected);
  });
});

describe('timestamps', () => {
  test('have seven fractional digits', () => {
    expect(formatTimestamp(Date.UTC(2022, 7, 31, 22, 2, 50, 516))).toBe('2022-08-31T22:02:50.5160000Z');
  });

  test.each([
    ['2022-08-31T22:02:50.5163352Z', Date.UTC(2022, 7, 31, 22, 2, 50, 516)],
    ['2020-03-10T15:08:16.429478Z', Date.UTC(2020, 2, 10, 15, 8, 16, 429)],
    ['2020-03-10T15:08:16Z', Date.UTC(2020, 2, 10, 15, 8, 16)],
    ['2020-03-10T15:08:16.5+01:00', Date.UTC(2020, 2, 10, 14, 8, 16, 500)],
  ])('%s is read', (text, expected) => {
    expect(parseTimestamp(text)).toBe(expected);
  });

  test.each([
    '',
    'yesterday',
    '2022-08-31',
    '2022-08-31T22:02:50',
    '2022-13-31T22:02:50Z',
    '2022-08-31T25:02:50Z',
  ])('%j is refused', (text) => {
    expect(thrownBy(() => parseTimestamp(text))).toMatchObject({ code: 'ERR_REMOTE_MALFORMED' });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Date.UTC(10_000, 0, 1), Date.UTC(-1, 0, 1)])(
    '%d has none',
    (atMs) => {
      expect(thrownBy(() => formatTimestamp(atMs))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    },
  );
});
