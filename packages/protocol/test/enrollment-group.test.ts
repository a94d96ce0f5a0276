/** Oracle: field names, rules and paths of the published schema of the service API (2021-10-01), and the paths official clients send. */
import { Secret } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import {
  decodeEnrollmentGroup,
  encodeEnrollmentGroup,
  encodeEnrollmentGroupTarget,
  enrollmentGroupMethods,
  parseEnrollmentGroupTarget,
  type EnrollmentGroup,
  type EnrollmentGroupOperation,
} from '@endorse/protocol';
import { thrownBy } from './vectors.ts';

const key = Buffer.alloc(64, 1).toString('base64');
const whole = {
  enrollmentGroupId: 'plant-7',
  attestation: { type: 'symmetricKey', symmetricKey: { primaryKey: key, secondaryKey: key } },
  capabilities: { iotEdge: true },
  iotHubHostName: 'hub.azure-devices.net',
  initialTwin: { tags: { a: 1 } },
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

describe('enrollment group', () => {
  test('with every field of the schema comes back as it was', () => {
    const decoded = decodeEnrollmentGroup(JSON.stringify(whole));
    expect(decoded).toMatchObject({ enrollmentGroupId: 'plant-7', extra: { fieldOfTheFuture: [1, 2] } });
    expect(JSON.parse(encodeEnrollmentGroup(decoded))).toEqual(whole);
  });

  test.each([
    [{ enrollmentGroupId: undefined }, '$.enrollmentGroupId'],
    [{ enrollmentGroupId: 'a b' }, '$.enrollmentGroupId'],
    [{ attestation: undefined }, '$.attestation'],
    [{ provisioningStatus: 'maybe' }, '$.provisioningStatus'],
  ])('%j is refused at its place', (change, path) => {
    expect(thrownBy(() => decodeEnrollmentGroup(JSON.stringify({ ...whole, ...change })))).toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
      evidence: { path },
    });
  });

  test.each([
    [{ enrollmentGroupId: '' }, 'group.enrollmentGroupId'],
    [{ attestation: undefined }, 'group.attestation'],
    [{ allocationPolicy: 'random' }, 'group.allocationPolicy'],
    [{ initialTwin: { at: new Date() } }, 'group'],
    [
      { attestation: { type: 'symmetricKey', primaryKey: Secret.fromBytes(new Uint8Array(32)) } },
      'attestation',
    ],
  ])('cannot be sent with case %#', (change, argument) => {
    const good = { enrollmentGroupId: 'g', attestation: { type: 'symmetricKey' } };
    const group = { ...good, ...change } as unknown as EnrollmentGroup;
    expect(thrownBy(() => encodeEnrollmentGroup(group))).toMatchObject({
      name: 'InvalidArgumentError',
      argument,
    });
  });
});

describe('enrollment group target', () => {
  const kinds = Object.keys(enrollmentGroupMethods) as EnrollmentGroupOperation[];

  test.each(kinds)('%s comes back as it went', (kind) => {
    const target = encodeEnrollmentGroupTarget({ kind, enrollmentGroupId: 'a:b' });
    expect(parseEnrollmentGroupTarget(enrollmentGroupMethods[kind], target)).toEqual({
      kind,
      enrollmentGroupId: 'a:b',
      apiVersion: '2021-10-01',
    });
  });

  test('is that of the REST reference, in any case', () => {
    expect(encodeEnrollmentGroupTarget({ kind: 'put-enrollment-group', enrollmentGroupId: 'g' })).toBe(
      '/enrollmentGroups/g?api-version=2021-10-01',
    );
    const lower = '/enrollmentgroups/g/attestationmechanism?api-version=2021-10-01';
    expect(parseEnrollmentGroupTarget('POST', lower)?.kind).toBe('get-group-attestation-mechanism');
  });

  test('leaves other paths to others', () => {
    for (const target of ['/', '/enrollments/g', '/enrollmentGroups', '/enrollmentGroups/g/x']) {
      expect(parseEnrollmentGroupTarget('GET', target)).toBeUndefined();
    }
  });

  test.each([
    ['PATCH', '/enrollmentGroups/g?api-version=2021-10-01', 'ERR_REMOTE_UNEXPECTED', 'method'],
    [
      'GET',
      '/enrollmentGroups/g/attestationmechanism?api-version=2021-10-01',
      'ERR_REMOTE_UNEXPECTED',
      'method',
    ],
    ['GET', '/enrollmentGroups/a%20b?api-version=2021-10-01', 'ERR_REMOTE_MALFORMED', 'enrollmentGroupId'],
    ['GET', '/enrollmentGroups/g', 'ERR_REMOTE_MALFORMED', 'api-version'],
  ])('%s %s is refused with %s at %s', (method, target, code, path) => {
    expect(thrownBy(() => parseEnrollmentGroupTarget(method, target))).toMatchObject({
      code,
      evidence: { path },
    });
  });
});
