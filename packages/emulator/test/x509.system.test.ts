/**
 * X.509, with certificates that the OpenSSL command line made: it is the oracle of what chains there are, of thumbprints and
 * of serial numbers. Rules are those of RFC 5280 section 6 and of the service's documentation (common name, evaluation order).
 */
import type { EmulatorCore, EmulatorCoreOptions } from '@endorse/emulator/core';
import { createEmulatorCore } from '@endorse/emulator/core';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { expect, test } from 'vitest';
import { expectOutcome, keysOf, seededRandom } from './support/core-fixture.ts';
import { containing } from './support/matchers.ts';
import type { Issued } from './support/openssl-pki.ts';
import { issue, issueCa } from './support/openssl-pki.ts';
import { softwareTpm } from './support/software-tpm.ts';

const dayMs = 86_400_000;
const root = issueCa('/O=Endorse tests/CN=Root');
const intermediate = issueCa('/CN=Intermediate', root);
const issuing = issueCa('/CN=Issuing', intermediate);
const device = issue({ subject: '/O=Plant/CN=Device-1', issuer: issuing });
const selfSigned = issue({ subject: '/CN=device-1' });
const renewed = issue({ subject: '/CN=device-1' });

function x509Fixture(options: Partial<EmulatorCoreOptions> = {}) {
  const clock = new VirtualClock(Date.now());
  const core = createEmulatorCore({ clock, random: seededRandom('x509'), ...options });
  const register = (chain: readonly Issued[], registrationId = 'device-1') =>
    core.register(request(core, chain, registrationId));
  const provision = (chain: readonly Issued[], registrationId = 'device-1') => {
    const { operationId } = expectOutcome(register(chain, registrationId), 'operation').operation;
    const query = { ...request(core, chain, registrationId), operationId };
    return expectOutcome(core.queryOperation(query), 'operation').operation;
  };
  const send = (deviceId: string, certificate: Issued) =>
    core.hubs[0]?.acceptEvent({
      deviceId,
      token: undefined,
      certificate: certificate.der,
      body: new Uint8Array(),
    })?.status ?? 'accepted';
  return { core, clock, register, provision, send };
}

function request(core: EmulatorCore, chain: readonly Issued[], registrationId: string) {
  const credential = { kind: 'certificate', certificates: chain.map(({ der }) => der) } as const;
  return { idScope: core.idScope, registrationId, credential };
}

const infoOf = ({ x509 }: Issued) => ({
  sha1Thumbprint: x509.fingerprint.replaceAll(':', ''),
  sha256Thumbprint: x509.fingerprint256.replaceAll(':', ''),
  serialNumber: x509.serialNumber,
  notAfterUtc: x509.validToDate.toISOString().replace('Z', '0000Z'),
  version: 3,
});

test('an enrolled certificate, primary or secondary, is assigned, and opens the hub from then on', () => {
  const { core, provision, send } = x509Fixture();
  core.createX509Enrollment({
    registrationId: 'device-1',
    primaryCertificate: selfSigned.pem,
    secondaryCertificate: Buffer.from(renewed.der).toString('base64'),
    deviceId: 'Sensor',
  });
  const { registrationState } = provision([selfSigned]);
  expect(registrationState).toMatchObject({
    status: 'assigned',
    deviceId: 'Sensor',
    x509: {
      certificateInfo: { subjectName: 'CN=device-1', issuerName: 'CN=device-1', ...infoOf(selfSigned) },
    },
  });
  expect(registrationState?.x509).not.toHaveProperty('enrollmentGroupId');
  expect([send('Sensor', selfSigned), send('Sensor', renewed)]).toEqual(['accepted', 401]);
  provision([renewed]);
  expect([send('Sensor', selfSigned), send('Sensor', renewed)]).toEqual([401, 'accepted']);
  expect(
    core.hubs[0]?.acceptEvent({
      deviceId: 'Sensor',
      token: 'x',
      certificate: renewed.der,
      body: new Uint8Array(),
    }),
  ).toMatchObject({ status: 401 });
});

test('a group takes the device whose chain leads to its certificate, in any order', () => {
  const { core, provision, send } = x509Fixture();
  core.createX509EnrollmentGroup({ enrollmentGroupId: 'Plant', primaryCertificate: root.pem });
  for (const chain of [
    [device, issuing, intermediate],
    [device, intermediate, root, issuing],
  ]) {
    expect(provision(chain, 'Device-1').registrationState).toMatchObject({
      registrationId: 'Device-1',
      deviceId: 'Device-1',
      x509: {
        enrollmentGroupId: 'Plant',
        certificateInfo: { subjectName: 'O=Plant, CN=Device-1', ...infoOf(device) },
        signingCertificateInfo: { subjectName: 'O=Endorse tests, CN=Root', ...infoOf(root) },
      },
    });
  }
  expect(send('Device-1', device)).toBe('accepted');
});

test.each([
  ['an intermediate is enrolled, and the device sends only itself', issuing, [device]],
  [
    'an intermediate is enrolled, and the device sends more than it needs',
    intermediate,
    [device, issuing, root],
  ],
])('%s', (_title, enrolled, chain) => {
  const { core, provision } = x509Fixture();
  core.createX509EnrollmentGroup({
    enrollmentGroupId: 'g',
    primaryCertificate: root.pem,
    secondaryCertificate: enrolled.pem,
  });
  expect(provision(chain).registrationState).toMatchObject({ status: 'assigned' });
});

test('a group may refer to an uploaded CA by name', () => {
  const { core, provision } = x509Fixture();
  const group = { enrollmentGroupId: 'g', primaryCaName: 'Root-2026' };
  expect(() => core.createX509EnrollmentGroup(group)).toThrow(/CA certificate not found/);
  core.uploadCaCertificate({ name: 'root-2026', certificate: root.pem });
  core.createX509EnrollmentGroup(group);
  expect(provision([device, issuing, intermediate]).status).toBe('assigned');
  for (const [ca, problem] of [
    [{ name: 'leaf', certificate: selfSigned.pem }, /not that of a CA/],
    [{ name: 'none', certificate: 'hello' }, /neither PEM/],
    [{ name: '', certificate: root.pem }, /characters/],
  ] as const) {
    expect(() => core.uploadCaCertificate(ca)).toThrow(problem);
  }
});

const impostorRoot = issueCa('/O=Endorse tests/CN=Root');
const impostorIssuing = issueCa('/CN=Issuing', impostorRoot);
const noAuthority = issue({ subject: '/CN=Issuing', issuer: root });
const noSigner = issue({
  subject: '/CN=Issuing',
  issuer: root,
  constraints: 'critical,CA:TRUE',
  keyUsage: 'critical,digitalSignature',
});
const shortRoot = issueCa('/CN=Short root', undefined, 'critical,CA:TRUE,pathlen:0');
const belowShort = issueCa('/CN=Issuing', shortRoot);
const underNoAuthority = issue({ subject: '/CN=device-1', issuer: noAuthority });
const signedBy = (issuer: Issued): Issued => issue({ subject: '/CN=device-1', issuer });

test.each([
  ['the issuing certificate is missing', [root], [device, intermediate]],
  [
    'the root has the name but not the key',
    [root],
    [signedBy(impostorIssuing), impostorIssuing, impostorRoot],
  ],
  ['an issuer is no authority', [root], [underNoAuthority, noAuthority]],
  ['an issuer may not sign certificates', [root], [signedBy(noSigner), noSigner]],
  ['a path is longer than its root allows', [shortRoot], [signedBy(belowShort), belowShort]],
  ['a device signed itself', [root], [selfSigned]],
  ['a device sends a chain that is not its own', [root], [selfSigned, issuing, intermediate]],
])('a chain is refused when %s', (_title, [enrolled], chain) => {
  const { core, register } = x509Fixture();
  core.createX509EnrollmentGroup({ enrollmentGroupId: 'g', primaryCertificate: enrolled?.pem ?? '' });
  expect(register(chain)).toMatchObject({
    fault: { errorCode: 401_002, message: 'CA certificate not found' },
  });
});

test('a path as long as its root allows is taken', () => {
  const { core, provision } = x509Fixture();
  core.createX509EnrollmentGroup({ enrollmentGroupId: 'g', primaryCertificate: shortRoot.pem });
  expect(provision([signedBy(shortRoot)]).status).toBe('assigned');
});

test('the certificate of the CA itself is no device of the group', () => {
  const { core, register } = x509Fixture();
  core.createX509EnrollmentGroup({ enrollmentGroupId: 'g', primaryCertificate: root.pem });
  expect(register([root], 'Root')).toMatchObject({ fault: { message: 'CA certificate not found' } });
});

test('every certificate of a chain has to be valid at the time of the service', async () => {
  const brief = issueCa('/CN=Brief', undefined);
  const long = issue({ subject: '/CN=device-1', issuer: brief, days: 400 });
  const { core, clock, register } = x509Fixture();
  core.createX509EnrollmentGroup({ enrollmentGroupId: 'g', primaryCertificate: brief.pem });
  expect(register([long])).toMatchObject({ outcome: 'operation' });
  await clock.advance(31 * dayMs);
  expect(register([long])).toMatchObject({ fault: { message: 'CA certificate not found' } });
  await clock.advance(400 * dayMs);
  expect(register([long])).toMatchObject({
    fault: { message: 'Invalid certificate.', reason: containing('expired') },
  });
  const early = x509Fixture({ clock: new VirtualClock(Date.now() - 2 * dayMs) });
  early.core.createX509Enrollment({ registrationId: 'device-1', primaryCertificate: selfSigned.pem });
  expect(early.register([selfSigned])).toMatchObject({
    fault: { errorCode: 401_002, reason: containing('valid only from') },
  });
});

test.each([
  ['another', '/CN=device-2'],
  ['no', '/O=device-1'],
  ['a second', '/CN=device-1/CN=device-2'],
  ['a longer', '/CN=device-1\\, CN=device-1'],
])('%s common name than the registration id is refused', (_title, subject) => {
  const { core, register } = x509Fixture();
  const certificate = issue({ subject, issuer: root });
  core.createX509EnrollmentGroup({ enrollmentGroupId: 'g', primaryCertificate: root.pem });
  const refused = {
    fault: { errorCode: 401_002, message: 'Invalid certificate.', reason: containing('common name') },
  };
  expect(register([certificate])).toMatchObject(refused);
  core.createX509Enrollment({ registrationId: 'device-1', primaryCertificate: certificate.pem });
  expect(register([certificate])).toMatchObject(refused);
});

test('an individual enrollment comes first, whatever the groups would say', () => {
  const { core, register, provision } = x509Fixture();
  const chain = [device, issuing, intermediate];
  core.createX509EnrollmentGroup({ enrollmentGroupId: 'g', primaryCertificate: root.pem });
  core.createX509Enrollment({ registrationId: 'device-1', primaryCertificate: selfSigned.pem });
  expect(register(chain)).toMatchObject({
    fault: { errorCode: 401_002, reason: containing('not the enrolled one') },
  });
  core.createX509Enrollment({
    registrationId: 'device-1',
    primaryCertificate: device.pem,
    provisioningStatus: 'disabled',
  });
  expect(register(chain)).toMatchObject({ operation: { operationId: '', status: 'disabled' } });
  core.createSymmetricKeyEnrollment({ registrationId: 'device-1' });
  expect(register(chain)).toMatchObject({ fault: { errorCode: 401_002 } });
  core.createX509Enrollment({ registrationId: 'device-1', primaryCertificate: device.pem });
  expect(provision(chain).registrationState?.x509).not.toHaveProperty('enrollmentGroupId');
});

test('of several groups the nearest counts, also when it is disabled', () => {
  const { core, register } = x509Fixture();
  core.createX509EnrollmentGroup({ enrollmentGroupId: 'far', primaryCertificate: root.pem });
  core.createX509EnrollmentGroup({
    enrollmentGroupId: 'near',
    primaryCertificate: issuing.pem,
    provisioningStatus: 'disabled',
  });
  expect(register([device, issuing, intermediate])).toMatchObject({ operation: { status: 'disabled' } });
});

test('a certificate does not stand in for a token, nor a token for a certificate; a TPM is challenged all the same', () => {
  const { core, register } = x509Fixture();
  core.createX509Enrollment({ registrationId: 'device-1', primaryCertificate: selfSigned.pem });
  const bare = { idScope: core.idScope, registrationId: 'device-1' };
  const credentials = [
    { kind: 'none' },
    { kind: 'token', token: 'SharedAccessSignature sr=a&sig=AAAA&se=4000000000' },
  ] as const;
  for (const credential of credentials) {
    expect(core.register({ ...bare, credential })).toMatchObject({ fault: { errorCode: 401_002 } });
  }
  expect(register([], 'device-1')).toMatchObject({ fault: { errorCode: 401_002 } });
  const { endorsementKey } = softwareTpm();
  core.createTpmEnrollment({ ...bare, endorsementKey });
  expect(
    core.register({ ...request(core, [selfSigned], 'device-1'), ...keysOf(softwareTpm()) }).outcome,
  ).toBe('challenge');
  expect(register([selfSigned], 'unknown')).toMatchObject({ fault: { errorCode: 404_201 } });
});

test('another certificate voids an operation under way, the same does not', () => {
  const { core, register } = x509Fixture({ assigningDurationMs: 1000 });
  const enroll = (certificate: Issued, more: object = {}): void =>
    core.createX509Enrollment({ registrationId: 'device-1', primaryCertificate: certificate.pem, ...more });
  enroll(selfSigned);
  const { operationId } = expectOutcome(register([selfSigned]), 'operation').operation;
  const poll = () => core.queryOperation({ ...request(core, [selfSigned], 'device-1'), operationId });
  enroll(selfSigned, { deviceId: 'renamed' });
  expect(poll()).toMatchObject({ operation: { status: 'assigning' } });
  enroll(renewed, { secondaryCertificate: selfSigned.pem });
  expect(poll()).toMatchObject({ fault: { errorCode: 404_202 } });
});

test.each([
  ['text that is no certificate', 'hello', /neither PEM/],
  ['a certificate that is cut short', device.pem.slice(0, 300), /neither PEM/],
  ['nothing', '', /neither PEM/],
])('the shortcuts refuse %s', (_title, text, problem) => {
  const { core } = x509Fixture();
  expect(() => core.createX509Enrollment({ registrationId: 'r', primaryCertificate: text })).toThrow(problem);
  expect(() => core.createX509EnrollmentGroup({ enrollmentGroupId: 'g', primaryCertificate: text })).toThrow(
    problem,
  );
  expect(() =>
    core.createX509EnrollmentGroup({ enrollmentGroupId: 'g', primaryCertificate: device.pem }),
  ).toThrow(/not that of a CA/);
});
