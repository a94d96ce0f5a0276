/** Seed files: what they put in place, what they leave alone, and errors that say where. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmulator } from '@endorse/emulator';
import { expect, test } from 'vitest';
import { createAuthority } from '../src/certificate/authority.ts';
import { emulatorFixture } from './support/http-client.ts';
import { containing, matching } from './support/matchers.ts';
import { softwareTpm } from './support/software-tpm.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const endorsementKey = Buffer.from(softwareTpm().endorsementKey).toString('base64');
const { certificatePem } = createAuthority(Date.now());
const key = Buffer.alloc(32, 1).toString('base64');

const yaml = `
hubs:
  - name: east
    allocationWeight: 3
    latenciesMs: { '': 80, us-: 20 }
  - { name: west }
caCertificates:
  - name: root
    certificate: |
${certificatePem.trim().replaceAll(/^/gm, '      ')}
enrollments:
  - registrationId: pump-1
    attestation: { type: tpm, tpm: { endorsementKey: ${endorsementKey} } }
    allocationPolicy: static
    iotHubs: [west]
  - registrationId: fan-1
    attestation: { type: symmetricKey, symmetricKey: &keys { primaryKey: ${key}, secondaryKey: ${key} } }
enrollmentGroups:
  - enrollmentGroupId: plant
    attestation: { type: symmetricKey, symmetricKey: *keys }
    initialTwin: { tags: { plant: A } }
  - enrollmentGroupId: signed
    attestation: { type: x509, x509: { caReferences: { primary: root } } }
faults:
  - { operation: register, device: fan-1, fault: { kind: status, status: 503 } }
`;

async function seedFile(text: string, name = 'seed.yaml') {
  const directory = await temporaryDirectory();
  const file = join(directory.path, name);
  await writeFile(file, text);
  return {
    file,
    dataDirectory: join(directory.path, 'data'),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

test('a seed file puts hubs, certificates, enrollments, groups and faults in place', async () => {
  await using seed = await seedFile(yaml);
  await using fixture = await emulatorFixture({
    seedFile: seed.file,
    seed: { faults: [{ fault: { kind: 'stay-assigning' } }] },
  });
  const { emulator, sendAsOwner } = fixture;
  expect(emulator.hubs.map(({ name }) => name)).toEqual(['east', 'west']);
  expect(emulator.faults.list().map(({ rule }) => rule.fault.kind)).toEqual(['stay-assigning', 'status']);
  const pump = await sendAsOwner({ path: '/enrollments/pump-1?api-version=2021-10-01' });
  expect(pump.json()).toMatchObject({
    allocationPolicy: 'static',
    iotHubs: ['west'],
    provisioningStatus: 'enabled',
    etag: matching(/^"/),
  });
  const keys = await sendAsOwner({
    method: 'POST',
    path: '/enrollmentGroups/plant/attestationmechanism?api-version=2021-10-01',
  });
  expect(keys.json()).toMatchObject({ symmetricKey: { primaryKey: key } });
  const signed = await sendAsOwner({ path: '/enrollmentGroups/signed?api-version=2021-10-01' });
  expect(signed.status).toBe(200);
});

test('JSON is as good', async () => {
  const fan = { registrationId: 'fan-1', attestation: { type: 'symmetricKey' } };
  await using seed = await seedFile(JSON.stringify({ enrollments: [fan] }), 'seed.json');
  await using fixture = await emulatorFixture({ seedFile: seed.file });
  expect((await fixture.sendAsOwner({ path: '/enrollments/fan-1?api-version=2021-10-01' })).status).toBe(200);
});

test('what is in the data directory already stays as it was made', async () => {
  await using seed = await seedFile(yaml);
  const options = { seedFile: seed.file, dataDirectory: seed.dataDirectory };
  {
    await using first = await startEmulator(options);
    await first.createSymmetricKeyEnrollment({ registrationId: 'fan-1', provisioningStatus: 'disabled' });
  }
  await using fixture = await emulatorFixture(options);
  const fan = await fixture.sendAsOwner({ path: '/enrollments/fan-1?api-version=2021-10-01' });
  expect(fan.json()).toMatchObject({ provisioningStatus: 'disabled' });
});

test.each<[string, string, RegExp]>([
  ['no YAML', 'a: [1', /seed\.yaml:1:\d+: /],
  ['a list', '- 1', /seed\.yaml:1:1: seed must be an object/],
  ['an unknown member', 'enrolments: []', /seed\.yaml:1:13: enrolments is not known here; there are hubs/],
  ['no list', 'enrollments:\n  a: 1', /seed\.yaml:2:3: enrollments must be a list/],
  ['a bad hub', 'hubs:\n  - name: a\n  - name: two words', /seed\.yaml:3:11: hubs\[1\]\.name must be/],
  [
    'a bad weight',
    'hubs:\n  - name: a\n    allocationWeight: 0',
    /seed\.yaml:3:23: hubs\[0\]\.allocationWeight/,
  ],
  [
    'a bad fault',
    'faults:\n  - operation: regster\n    fault: {kind: stay-assigning}',
    /seed\.yaml:2:16: faults\[0\]\.operation must be one of/,
  ],
  [
    'no certificate',
    'caCertificates:\n  - name: root\n    certificate: hello',
    /seed\.yaml:2:5: caCertificates\[0\]/,
  ],
  [
    'a missing member',
    'enrollments:\n  - attestation: {type: symmetricKey}',
    /seed\.yaml:2:5: enrollments\[0\]\.registrationId is missing/,
  ],
  [
    'a bad key',
    'enrollments:\n  - registrationId: a\n    attestation:\n      type: tpm\n      tpm:\n        endorsementKey: "%%"',
    /seed\.yaml:6:25: enrollments\[0\]\.attestation\.tpm\.endorsementKey/,
  ],
  [
    'a key that is no EK',
    'enrollments:\n  - registrationId: a\n    attestation: {type: tpm, tpm: {endorsementKey: AAAA}}',
    /seed\.yaml:2:5: enrollments\[0\] is refused: Endorsement key is invalid/,
  ],
  [
    'an unknown CA',
    'enrollmentGroups:\n  - enrollmentGroupId: g\n    attestation: {type: x509, x509: {caReferences: {primary: nobody}}}',
    /seed\.yaml:2:5: enrollmentGroups\[0\] is refused: CA certificate not found/,
  ],
  [
    'a bomb of aliases',
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nhubs: [*c,*c,*c,*c,*c,*c]`,
    /seed\.yaml:1:1: .*alias/,
  ],
])('%s is refused by line and column', async (_title, text, message) => {
  await using seed = await seedFile(text);
  await expect(startEmulator({ seedFile: seed.file })).rejects.toMatchObject({
    code: 'ERR_EMULATOR_SEED',
    message: matching(message),
  });
});

test('a file that is not there, and a seed of a program that cannot be', async () => {
  await expect(startEmulator({ seedFile: '/nowhere/seed.yaml' })).rejects.toMatchObject({
    code: 'ERR_EMULATOR_SEED',
    message: containing('/nowhere/seed.yaml'),
  });
  await expect(startEmulator({ seed: { enrollments: [{ registrationId: 7 }] } })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
    message: matching(/^enrollments\[0\]\.registrationId must be a string/),
  });
});

test('no key of a seed file gets into an error', async () => {
  const secret = Buffer.alloc(12, 'secret').toString('base64');
  const text = `enrollments:\n  - registrationId: a\n    attestation: { type: symmetricKey, symmetricKey: { primaryKey: ${secret}, secondaryKey: ${secret} } }`;
  await using seed = await seedFile(text);
  const error = await startEmulator({ seedFile: seed.file }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'ERR_EMULATOR_SEED' });
  expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(secret);
});
