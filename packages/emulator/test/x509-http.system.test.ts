/**
 * X.509 over HTTPS: `node:https` as the device, certificates of the OpenSSL command line, enrollments through the service
 * API with the members of the published schema.
 */
import type { AgentOptions } from 'node:https';
import { Agent } from 'node:https';
import { expect, test } from 'vitest';
import type { EmulatorFixture } from './support/http-client.ts';
import { emulatorFixture, sendRaw } from './support/http-client.ts';
import { containing, matching } from './support/matchers.ts';
import type { Issued } from './support/openssl-pki.ts';
import { issue, issueCa } from './support/openssl-pki.ts';

const version = 'api-version=2021-10-01';
const headers = { 'content-type': 'application/json; charset=utf-8' };
const root = issueCa('/CN=Root');
const intermediate = issueCa('/CN=Intermediate', root);
const device = issue({ subject: '/CN=device-1', issuer: intermediate });

/** A device that keeps no connection: its later requests resume the TLS session of the first, in which alone it sent its chain. */
function deviceOf({ emulator }: EmulatorFixture, chain: readonly Issued[], tls: AgentOptions = {}) {
  const cert = chain.map(({ pem }) => pem).join('');
  const agent = new Agent({ ca: emulator.caPem, cert, key: chain[0]?.keyPem, ...tls });
  const path = `/${emulator.idScope}/registrations/device-1`;
  const send = (method: string, target: string, body = '', base = emulator.endpoints.http) =>
    sendRaw(base, agent, { method, path: target, headers, body });
  return {
    register: () => send('PUT', `${path}/register?${version}`, '{"registrationId":"device-1"}'),
    poll: (operationId: string) => send('GET', `${path}/operations/${operationId}?${version}`),
    sendEvent: () =>
      send('POST', '/devices/device-1/messages/events?api-version=2021-04-12', '{}', emulator.endpoints.hub),
  };
}

const putGroup = ({ sendAsOwner }: EmulatorFixture, x509: object, more: object = {}) =>
  sendAsOwner({
    method: 'PUT',
    path: `/enrollmentGroups/plant?${version}`,
    headers: { ...headers, ...more },
    body: JSON.stringify({ enrollmentGroupId: 'plant', attestation: { type: 'x509', x509 } }),
  });

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a device of a group gets to its hub over %s',
  async (maxVersion) => {
    await using fixture = await emulatorFixture();
    const { emulator, sendAsOwner } = fixture;
    const written = await putGroup(fixture, { signingCertificates: { primary: { certificate: root.pem } } });
    expect(written.status).toBe(200);
    const info = {
      subjectName: 'CN=Root',
      issuerName: 'CN=Root',
      sha256Thumbprint: root.x509.fingerprint256.replaceAll(':', ''),
      notAfterUtc: matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/),
    };
    const read = await sendAsOwner({ path: `/enrollmentGroups/plant?${version}` });
    expect(read.json()).toMatchObject({
      attestation: { type: 'x509', x509: { signingCertificates: { primary: { info } } } },
    });
    const { register, poll, sendEvent } = deviceOf(fixture, [device, intermediate], { maxVersion });
    const accepted = await register();
    expect(accepted.status).toBe(202);
    const done = await poll(String(accepted.json()['operationId']));
    expect([done.status, done.json()['registrationState']]).toMatchObject([
      200,
      { status: 'assigned', deviceId: 'device-1', x509: { enrollmentGroupId: 'plant' } },
    ]);
    expect((await sendEvent()).status).toBe(204);
    expect(emulator.telemetry).toHaveLength(1);

    // What was read may be written back; the certificate stays.
    const { attestation, etag } = read.json() as { attestation: { x509: object }; etag: string };
    expect((await putGroup(fixture, attestation.x509, { 'if-match': etag })).status).toBe(200);
    expect((await register()).status).toBe(202);
  },
);

test('an individual enrollment takes its certificate and no other', async () => {
  await using fixture = await emulatorFixture();
  const own = issue({ subject: '/CN=device-1' });
  const x509 = { clientCertificates: { primary: { certificate: own.pem } } };
  const body = JSON.stringify({ registrationId: 'device-1', attestation: { type: 'x509', x509 } });
  const path = `/enrollments/device-1?${version}`;
  expect((await fixture.sendAsOwner({ method: 'PUT', path, headers, body })).status).toBe(200);
  expect((await deviceOf(fixture, [own]).register()).status).toBe(202);
  const refused = await deviceOf(fixture, [device, intermediate]).register();
  expect(refused.json()).toMatchObject({
    errorCode: 401_002,
    info: { reason: containing('not the enrolled one') },
  });
  const bare = await deviceOf(fixture, []).register();
  expect([bare.status, bare.json()['errorCode']]).toEqual([401, 401_002]);
  const before = await deviceOf(fixture, [device]).sendEvent();
  expect(before.status).toBe(401);
});

test.each([
  ['no certificate', { signingCertificates: {} }],
  ['something else', { signingCertificates: { primary: { certificate: 'hello' } } }],
  ['only the info of one', { signingCertificates: { primary: { info: { version: 3 } } } }],
  ['one that is no CA', { signingCertificates: { primary: { certificate: device.pem } } }],
  ['client certificates', { clientCertificates: { primary: { certificate: root.pem } } }],
  ['the name of a CA that was not uploaded', { caReferences: { primary: 'nobody' } }],
  ['no name of a CA', { caReferences: {} }],
])('a group with %s is a 400', async (_title, x509) => {
  await using fixture = await emulatorFixture();
  const answer = await putGroup(fixture, x509);
  expect([answer.status, answer.json()['errorCode']]).toEqual([400, 400_004]);
});
