/**
 * Every rule the service documents for what it is sent, with the status and code that must come back. Oracle: the
 * service's documentation of ids, keys, certificates and limits.
 */
import { describe, expect, test } from 'vitest';
import { createAuthority } from '../src/certificate/authority.ts';
import { issueDeviceCertificate } from './support/device-certificate.ts';
import type { ServiceCall } from './support/handler-fixture.ts';
import { handlerFixture } from './support/handler-fixture.ts';
import { softwareTpm } from './support/software-tpm.ts';

const base64 = (bytes: Uint8Array | number): string =>
  Buffer.from(typeof bytes === 'number' ? new Uint8Array(bytes) : bytes).toString('base64');
const { endorsementKey } = softwareTpm();
const tpm = { type: 'tpm', tpm: { endorsementKey: base64(endorsementKey) } };
const symmetricKey = (keys: object): object => ({
  attestation: { type: 'symmetricKey', symmetricKey: keys },
});
const device = issueDeviceCertificate('r').certificatePem;
const ca = createAuthority(Date.now()).certificatePem;
const clientCertificates = (certificate: string): object => ({
  attestation: { type: 'x509', x509: { clientCertificates: { primary: { certificate } } } },
});
const signingCertificates = (certificate: string): object => ({
  attestation: { type: 'x509', x509: { signingCertificates: { primary: { certificate } } } },
});

type Row = readonly [
  title: string,
  change: object,
  outcome: number | readonly [status: number, code: number, text?: string],
];

/** 200, or a status, a code and part of what is said. */
async function check(put: (change: object) => ServiceCall, [, change, outcome]: Row): Promise<void> {
  const { call } = handlerFixture();
  const answer = await call(put(change));
  if (typeof outcome === 'number') {
    expect(answer.status).toBe(outcome);
    return;
  }
  const [status, errorCode, text = ''] = outcome;
  expect(answer).toMatchObject({
    status,
    headers: { 'x-ms-error-code': String(errorCode) },
    json: { errorCode },
  });
  const { trackingId, timestampUtc } = answer.json as Record<string, string>;
  expect(answer.headers['x-ms-request-id']).toBe(trackingId);
  expect(timestampUtc).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
  expect(JSON.stringify(answer.json)).toContain(text);
}

const invalid = (text: string): readonly [number, number, string] => [400, 400_004, text];

describe('an individual enrollment', () => {
  const put = (change: object): ServiceCall => {
    const body = { registrationId: 'r', attestation: tpm, ...change };
    const { registrationId } = body;
    return { method: 'PUT', target: `/enrollments/${encodeURIComponent(registrationId)}`, body };
  };

  test.each<Row>([
    ['an id of 128 characters', { registrationId: 'a'.repeat(128) }, 200],
    ['an id of 129 characters', { registrationId: 'a'.repeat(129) }, [400, 400_000, 'at most 128']],
    ['every character an id may have', { registrationId: 'aZ09-._:x' }, 200],
    ['an id with a space', { registrationId: 'a b' }, [400, 400_000, 'letters, digits']],
    ['an id beyond ASCII', { registrationId: 'ä' }, [400, 400_000, 'letters, digits']],
    ['an id that ends in a hyphen', { registrationId: 'a-' }, 200],
    ['an id that ends in a dot', { registrationId: 'a.' }, [400, 400_000, 'must end in']],
    ['a device id with every character it may have', { deviceId: "aZ9-.%_*?!(),:=@$'" }, 200],
    ['an empty device id, which means none', { deviceId: '' }, 200],
    ['a device id with a slash', { deviceId: 'a/b' }, invalid('deviceId')],
    ['a device id of 129 characters', { deviceId: 'a'.repeat(129) }, invalid('deviceId')],
    ['a device id that is a number', { deviceId: 7 }, invalid('must be a string')],
    ['no attestation', { attestation: undefined }, invalid('attestation is missing')],
    ['no type of attestation', { attestation: {} }, invalid('type is missing')],
    ['an unknown type of attestation', { attestation: { type: 'psk' } }, invalid('must be none, tpm')],
    ['attestation none', { attestation: { type: 'none' } }, invalid('Unsupported attestation')],
    ['a type without its object', { attestation: { type: 'tpm' } }, invalid('tpm is missing')],
    [
      'an endorsement key that is no base64',
      { attestation: { type: 'tpm', tpm: { endorsementKey: '~' } } },
      invalid('not base64'),
    ],
    [
      'an endorsement key that is no key',
      { attestation: { type: 'tpm', tpm: { endorsementKey: base64(300) } } },
      invalid('Endorsement key is invalid'),
    ],
    [
      'a storage root key that is no key',
      { attestation: { type: 'tpm', tpm: { ...tpm.tpm, storageRootKey: base64(9) } } },
      invalid('Storage root key is invalid'),
    ],
    ['no keys, which are then made', symmetricKey({}), 200],
    ['keys of 16 bytes', symmetricKey({ primaryKey: base64(16), secondaryKey: base64(16) }), 200],
    ['keys of 64 bytes', symmetricKey({ primaryKey: base64(64), secondaryKey: base64(64) }), 200],
    [
      'a key of 15 bytes',
      symmetricKey({ primaryKey: base64(15), secondaryKey: base64(16) }),
      invalid('16 to 64 bytes'),
    ],
    [
      'a key of 65 bytes',
      symmetricKey({ primaryKey: base64(65), secondaryKey: base64(16) }),
      invalid('16 to 64 bytes'),
    ],
    ['one key alone', symmetricKey({ primaryKey: base64(16) }), invalid('together')],
    [
      'a key that is no base64',
      symmetricKey({ primaryKey: 'no base64', secondaryKey: base64(16) }),
      invalid('not base64'),
    ],
    ['a certificate', clientCertificates(device), 200],
    ['a certificate in base64 of DER', clientCertificates(device.replaceAll(/-----.*-----|\s/g, '')), 200],
    ['a certificate that is none', clientCertificates('nonsense'), invalid('neither PEM nor base64')],
    [
      'no certificate',
      { attestation: { type: 'x509', x509: { clientCertificates: {} } } },
      invalid('no certificate'),
    ],
    ['certificates for groups', signingCertificates(ca), invalid('takes client certificates')],
    [
      'two kinds of certificates',
      { attestation: { type: 'x509', x509: { clientCertificates: {}, caReferences: {} } } },
      invalid('must have one of'),
    ],
    [
      'an id longer than a common name',
      { registrationId: 'a'.repeat(65), ...clientCertificates(device) },
      invalid('common name'),
    ],
    ['a word in another case', { provisioningStatus: 'DISABLED', allocationPolicy: 'GeoLatency' }, 200],
    ['an unknown status', { provisioningStatus: 'off' }, invalid('provisioningStatus')],
    ['an unknown allocation policy', { allocationPolicy: 'nearest' }, invalid('allocationPolicy')],
    ['static without a hub', { allocationPolicy: 'static' }, 200],
    [
      'custom without a definition',
      { allocationPolicy: 'custom' },
      invalid('A CustomAllocationDefinition is required'),
    ],
    [
      'a definition without an address',
      { allocationPolicy: 'custom', customAllocationDefinition: { apiVersion: '2021-10-01' } },
      invalid('webhookUrl'),
    ],
    [
      'a definition for an api-version before there were any',
      {
        allocationPolicy: 'custom',
        customAllocationDefinition: { webhookUrl: 'https://x', apiVersion: '2018-04-01' },
      },
      invalid('2018-09-01 or later'),
    ],
    [
      'a definition for the first api-version, and an address that nobody looks at yet',
      {
        allocationPolicy: 'custom',
        customAllocationDefinition: { webhookUrl: 'x', apiVersion: '2018-09-01-preview' },
      },
      200,
    ],
    ['hubs that are no list', { iotHubs: 'hub' }, invalid('iotHubs')],
    ['hubs that are no names', { iotHubs: [1] }, invalid('iotHubs[0]')],
    ['a twin', { initialTwin: { tags: { a: 1 }, properties: { desired: { b: [1, null] } } } }, 200],
    ['a twin that is none', { initialTwin: 'twin' }, invalid('initialTwin')],
    ['tags that are no object', { initialTwin: { tags: [1] } }, invalid('tags must be an object')],
    [
      'properties that are no object',
      { initialTwin: { properties: 1 } },
      invalid('properties must be an object'),
    ],
    [
      'desired properties that are no object',
      { initialTwin: { properties: { desired: 'x' } } },
      invalid('properties.desired must be'),
    ],
    [
      'device information that is no object',
      { optionalDeviceInformation: [] },
      invalid('optionalDeviceInformation'),
    ],
    ['capabilities that are none', { capabilities: { iotEdge: 'yes' } }, invalid('iotEdge')],
    [
      'a reprovisioning policy that is none',
      { reprovisionPolicy: { migrateDeviceData: 1 } },
      invalid('migrateDeviceData'),
    ],
    [
      'read-only fields, which do not count',
      { createdDateTimeUtc: 'x', lastUpdatedDateTimeUtc: 'x', etag: 'x' },
      200,
    ],
    ['fields of a later version', { fieldOfTheFuture: { a: 1 } }, 200],
    ['more than 96 KiB', { initialTwin: { tags: { x: 'x'.repeat(98_304) } } }, [413, 413_000]],
    [
      'a nesting without end',
      { initialTwin: { tags: JSON.parse(`${'{"a":'.repeat(80)}1${'}'.repeat(80)}`) as object } },
      invalid('nested deeper'),
    ],
  ])('%s', (...row) => check(put, row));
});

describe('an enrollment group', () => {
  const put = (change: object): ServiceCall => {
    const body = { enrollmentGroupId: 'g', attestation: { type: 'symmetricKey' }, ...change };
    return { method: 'PUT', target: `/enrollmentGroups/${encodeURIComponent(body.enrollmentGroupId)}`, body };
  };

  test.each<Row>([
    ['symmetric keys', {}, 200],
    ['an id with a slash', { enrollmentGroupId: 'a/b' }, [400, 400_000]],
    ['a TPM, of which there are no groups', { attestation: tpm }, invalid('Unsupported attestation')],
    ['no attestation', { attestation: { type: 'none' } }, invalid('Unsupported attestation')],
    ['a certificate of a CA', signingCertificates(ca), 200],
    ['a certificate of a device', signingCertificates(device), invalid('not that of a CA')],
    ['client certificates', clientCertificates(device), invalid('signing certificates or CA references')],
    [
      'a CA that was never uploaded',
      { attestation: { type: 'x509', x509: { caReferences: { primary: 'root' } } } },
      invalid('CA certificate not found'),
    ],
    ['no CA', { attestation: { type: 'x509', x509: { caReferences: {} } } }, invalid('at least one CA')],
    ['an unknown status', { provisioningStatus: 'off' }, invalid('provisioningStatus')],
    ['tags that are no object', { initialTwin: { tags: 1 } }, invalid('tags must be')],
  ])('%s', (...row) => check(put, row));
});
