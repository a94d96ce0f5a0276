/** `endorse register` with a certificate, against an emulator, as a process of its own. */
import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulator } from '@endorse/emulator';
import type { Emulator } from '@endorse/emulator';
import type { TestAuthority, TestCertificate } from '@endorse/testkit';
import { createTestAuthority } from '@endorse/testkit';
import { expect, test } from 'vitest';
import type { ProgramRun } from '../support/run-program.ts';
import { parseJsonLines, runProgram } from '../support/run-program.ts';

const commonName = 'certificate-device';
const cli = new URL('../../packages/cli/src/main.ts', import.meta.url);

interface RegisterRunOptions {
  /** Further arguments. */
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Mode of the file with the private key; default 600. */
  readonly keyMode?: number;
}

interface Fixture extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly authority: TestAuthority;
  /** Certificate and key that are enrolled. */
  readonly enrolled: TestCertificate;
  /** Runs `endorse register` with this certificate and key. */
  register(identity: TestCertificate, options?: RegisterRunOptions): Promise<ProgramRun>;
}

async function startFixture(): Promise<Fixture> {
  const resources = new AsyncDisposableStack();
  try {
    const directory = await mkdtemp(join(tmpdir(), 'endorse-cli-x509-'));
    resources.defer(() => rm(directory, { recursive: true, force: true }));
    const emulator = resources.use(await startEmulator({ retryAfterSeconds: 0 }));
    const authority = createTestAuthority();
    const enrolled = authority.issue({ commonName });
    await emulator.createX509Enrollment({
      registrationId: commonName,
      primaryCertificate: enrolled.certificatePem,
    });
    // Into a folder of its own each time, as the mode counts only when the file is made.
    const write = async (name: string, text: string, mode = 0o600): Promise<string> => {
      const file = join(await mkdtemp(join(directory, 'file-')), name);
      await writeFile(file, text, { mode });
      return file;
    };
    const target = [
      ...['register', '--host', emulator.provisioningHost, '--id-scope', emulator.idScope],
      ...['--ca', await write('ca.pem', emulator.caPem), '--json'],
    ];
    return {
      emulator,
      authority,
      enrolled,
      register: async ({ certificatePem, privateKeyPem }, { args = [], environment, keyMode } = {}) => {
        const certificateFile = await write('device.pem', certificatePem);
        const keyFile = await write('device.key', privateKeyPem, keyMode);
        const identity = ['--x509-cert', certificateFile, '--x509-key', keyFile];
        return runProgram(cli, [...target, ...identity, ...args], environment);
      },
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    };
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}

test('the certificate of an individual enrollment registers under its common name', async () => {
  await using fixture = await startFixture();
  const { exitCode, stdout, stderr } = await fixture.register(fixture.enrolled);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const events = parseJsonLines(stdout);
  expect(events[0]).toMatchObject({ event: 'registration-started', attestation: 'x509' });
  expect(events.at(-1)).toMatchObject({
    event: 'assigned',
    registrationId: commonName,
    deviceId: commonName,
    assignedHub: fixture.emulator.assignedHub,
  });
});

test('a certificate of a group registers, its private key under a passphrase that stays secret', async () => {
  await using fixture = await startFixture();
  const { emulator, authority } = fixture;
  await emulator.createX509EnrollmentGroup({
    enrollmentGroupId: 'plant',
    primaryCertificate: authority.certificatePem,
  });
  const pump = authority.issue({ commonName: 'pump-7' });
  const passphrase = 'correct horse battery staple';
  const privateKeyPem = createPrivateKey(pump.privateKeyPem)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
    .toString();
  const identity = { certificatePem: `${pump.certificatePem}${authority.certificatePem}`, privateKeyPem };
  const args = ['--x509-passphrase-env', 'PASSPHRASE', '--verbose'];

  const { exitCode, stdout, stderr } = await fixture.register(identity, {
    args,
    environment: { PASSPHRASE: passphrase },
  });
  expect(exitCode).toBe(0);
  expect(parseJsonLines(stdout).at(-1)).toMatchObject({ event: 'assigned', deviceId: 'pump-7' });
  expect(`${stdout}${stderr}`).not.toMatch(/correct horse|PRIVATE KEY/);

  const wrong = await fixture.register(identity, {
    args,
    environment: { PASSPHRASE: 'wrong horse' },
  });
  expect(wrong.exitCode).toBe(2);
  expect(parseJsonLines(wrong.stdout)).toMatchObject([{ code: 'ERR_X509_PASSPHRASE_WRONG' }]);
  expect(`${wrong.stdout}${wrong.stderr}`).not.toContain('wrong horse');
});

test('another key in a certificate of the same name is refused by the service: exit code 1', async () => {
  await using fixture = await startFixture();
  const { exitCode, stdout } = await fixture.register(fixture.authority.issue({ commonName }));
  expect(exitCode).toBe(1);
  expect(parseJsonLines(stdout).at(-1)).toMatchObject({
    event: 'error',
    command: 'endorse register',
    code: 'ERR_SERVICE_UNAUTHORIZED',
  });
});

test('what is wrong with the files is named before anything is sent: exit code 2', async () => {
  await using fixture = await startFixture();
  const { enrolled, authority } = fixture;
  const { privateKeyPem } = authority.issue({ commonName });
  const mismatch = await fixture.register({ ...enrolled, privateKeyPem });
  expect(mismatch.exitCode).toBe(2);
  expect(parseJsonLines(mismatch.stdout)).toMatchObject([{ code: 'ERR_X509_KEY_MISMATCH' }]);

  const otherName = await fixture.register(enrolled, { args: ['--registration-id', 'somebody-else'] });
  expect(otherName.exitCode).toBe(2);
  expect(parseJsonLines(otherName.stdout)).toMatchObject([{ code: 'ERR_X509_REGISTRATION_ID' }]);

  const loose = await fixture.register(enrolled, { keyMode: 0o644 });
  expect(loose.exitCode).toBe(2);
  expect(parseJsonLines(loose.stdout)).toMatchObject([{ code: 'ERR_X509_FILE_MODE' }]);
});
