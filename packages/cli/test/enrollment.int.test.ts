/** `endorse enrollment …` against the emulator's service API, and the first screen of the emulator's README. */
import { generateKeyPairSync } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmulator, type Emulator } from '@endorse/emulator';
import { createEnrollmentClient } from '@endorse/enrollment-client';
import { parseServiceConnectionString } from '@endorse/protocol';
import { encodeTpm2bPublic, publicAreaFromSpki } from '@endorse/tpm2';
import { describe, expect, test } from 'vitest';
import { makeDirectory } from './support/device.ts';
import type { CliOutcome } from './support/run-in-process.ts';
import { jsonLines, runInProcess } from './support/run-in-process.ts';
import { startCli } from './support/run-process.ts';

interface Operator extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly directory: string;
  readonly file: (name: string) => string;
  /** Runs `endorse enrollment …` with the connection string in the environment. */
  readonly run: (...args: string[]) => Promise<CliOutcome>;
  /** The same with `--json`; the last line. */
  readonly json: (...args: string[]) => Promise<Readonly<Record<string, unknown>>>;
}

async function startOperator(): Promise<Operator> {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeDirectory());
  const emulator = stack.use(await startEmulator({ caDirectory: path }));
  const env = { ENDORSE_CONNECTION_STRING: emulator.serviceConnectionString.revealText() };
  const run = (...args: string[]): Promise<CliOutcome> =>
    runInProcess(['enrollment', ...args, '--ca', emulator.caFile ?? ''], { env });
  return {
    emulator,
    directory: path,
    file: (name) => join(path, name),
    run,
    json: async (...args) => {
      const outcome = await run(...args, '--json');
      expect(outcome).toMatchObject({ exitCode: 0, stderr: '' });
      return jsonLines(outcome.stdout).at(-1) ?? {};
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const spki = publicKey.export({ type: 'spki', format: 'pem' });
const endorsementKey = encodeTpm2bPublic(
  publicAreaFromSpki(Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }))),
);

describe('endorse enrollment', () => {
  test('creates, shows, disables, enables, lists and deletes a device with a TPM', async () => {
    await using operator = await startOperator();
    const { run, json, file } = operator;
    await writeFile(file('ek.pem'), spki);
    await writeFile(file('ek.bin'), endorsementKey);
    await writeFile(file('twin.json'), '{"tags":{"floor":3}}');
    const created = await json(
      'create',
      ...['--endorsement-key-file', file('ek.pem'), '--device-id', 'pump-7', '--allocation', 'static'],
      ...['--hub', operator.emulator.assignedHub, '--twin-file', file('twin.json'), '--edge'],
    );
    expect(created).toMatchObject({
      event: 'enrollment',
      registrationId: expect.stringMatching(/^[a-z2-7]{52}$/) as unknown,
      deviceId: 'pump-7',
      attestation: { type: 'tpm', tpm: { endorsementKey: Buffer.from(endorsementKey).toString('base64') } },
      provisioningStatus: 'enabled',
      allocationPolicy: 'static',
      initialTwin: { tags: { floor: 3 } },
      capabilities: { iotEdge: true },
    });
    const id = String(created['registrationId']);
    const again = await run('create', '--endorsement-key-file', file('ek.bin'));
    expect(again).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('ERR_SERVICE_CONFLICT') as unknown,
    });
    const shown = await run('show', '--registration-id', id);
    expect(shown.stdout).toMatch(
      new RegExp(`^registration id +${id}\ndevice id +pump-7\nattestation +tpm, endorsement key ATo`),
    );
    expect(await json('disable', '--registration-id', id)).toMatchObject({ provisioningStatus: 'disabled' });
    expect((await run('list', '--where', "provisioningStatus = 'disabled'")).stdout).toBe(
      `${id.padEnd(54)} tpm           disabled\n`,
    );
    expect(await json('enable', '--registration-id', id)).toMatchObject({
      provisioningStatus: 'enabled',
      deviceId: 'pump-7',
    });
    const stale = await run('delete', '--registration-id', id, '--if-match', String(created['etag']));
    expect(stale.exitCode).toBe(3);
    expect(await json('delete', '--registration-id', id)).toEqual({ event: 'enrollment-deleted', id });
    const gone = await run('show', '--registration-id', id);
    expect(gone).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('remedy:') as unknown });
  });

  test('keeps the key of a device with a symmetric key in a file, and prints it nowhere', async () => {
    await using operator = await startOperator();
    const { run, file } = operator;
    const args = ['--registration-id', 'meter', '--key-file', file('meter.key')];
    const created = await run('create', '--symmetric-key', ...args, '--json');
    expect(created.exitCode).toBe(0);
    const key = (await readFile(file('meter.key'), 'utf8')).trim();
    expect(Buffer.from(key, 'base64')).toHaveLength(64);
    expect((await stat(file('meter.key'))).mode & 0o777).toBe(0o600);
    const again = await run('show', ...args);
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('cannot create') as unknown });
    const shown = await run('show', '--registration-id', 'meter', '--verbose');
    expect(`${created.stdout}${created.stderr}${shown.stdout}${shown.stderr}`).not.toContain(key);
    expect(`${shown.stdout}${shown.stderr}`).not.toMatch(/primaryKey|sig=|SharedAccess/);
  });

  test('takes symmetric keys from variables, and certificates from files, of devices and of groups', async () => {
    await using operator = await startOperator();
    const { run, json, file, emulator } = operator;
    const key = Buffer.alloc(32, 7).toString('base64');
    const env = {
      SERVICE: emulator.serviceConnectionString.revealText(),
      FIRST: key,
      SECOND: `${key}\n`,
    };
    const keys = ['--primary-key-env', 'FIRST', '--secondary-key-env', 'SECOND'];
    const connection = ['--connection-string-env', 'SERVICE', '--ca', emulator.caFile ?? ''];
    const outcome = await runInProcess(
      [
        'enrollment',
        'create',
        '--group-id',
        'plant',
        ...keys,
        ...connection,
        '--key-file',
        file('plant.key'),
      ],
      { env },
    );
    expect(outcome.exitCode).toBe(0);
    expect(await readFile(file('plant.key'), 'utf8')).toBe(`${key}\n`);
    await writeFile(file('ca.crt'), emulator.caPem);
    expect(await json('create', '--group-id', 'signed', '--x509-cert', file('ca.crt'))).toMatchObject({
      event: 'enrollment-group',
      attestation: { type: 'x509', x509: { signingCertificates: { primary: { info: {} } } } },
    });
    expect((await run('list', '--groups', '--limit', '1')).stdout).toMatch(
      /^plant +symmetricKey +enabled\n$/,
    );
    expect(await json('list', '--groups')).toEqual({ event: 'listed', count: 2 });
    expect(await json('disable', '--group-id', 'plant')).toMatchObject({ provisioningStatus: 'disabled' });
    expect(await json('delete', '--group-id', 'plant')).toEqual({
      event: 'enrollment-group-deleted',
      id: 'plant',
    });
    const { stderr } = await run('list');
    expect(stderr).toBe('there is none\n');
  });

  test.each<[string, string[], string]>([
    ['no attestation', ['create', '--registration-id', 'r'], 'exactly one of --tpm'],
    ['two attestations', ['create', '--symmetric-key', '--tpm', 'tbs:'], 'exactly one of --tpm'],
    ['no registration id', ['create', '--symmetric-key'], '--registration-id is needed'],
    ['one key', ['create', '--registration-id', 'r', '--primary-key-env', 'KEY'], '--secondary-key-env'],
    [
      'a key that is none',
      ['create', '--registration-id', 'r', '--primary-key-env', 'PATH', '--secondary-key-env', 'PATH'],
      'which is not set',
    ],
    ['a TPM for a group', ['create', '--group-id', 'g', '--tpm', 'tbs:'], 'for one device'],
    ['a key file without a key', ['create', '--tpm', 'tbs:', '--key-file', 'x'], 'goes with a symmetric key'],
    ['a file that is no key', ['create', '--endorsement-key-file', '/dev/null'], '--endorsement-key-file'],
    ['a file that is no certificate', ['create', '--x509-cert', '/dev/null'], 'holds no PEM certificate'],
    [
      'a twin that is none',
      ['create', '--symmetric-key', '--twin-file', '/dev/null'],
      'is not a JSON object',
    ],
    ['no subject', ['show'], 'exactly one of --registration-id and --group-id'],
    ['two subjects', ['delete', '--registration-id', 'r', '--group-id', 'g'], 'exactly one of'],
    ['an id that is none', ['disable', '--registration-id', 'a b'], '--registration-id must consist of'],
  ])('refuses %s with exit code 2, before anything is sent', async (_title, args, message) => {
    const env = {
      ENDORSE_CONNECTION_STRING: 'HostName=nobody.invalid;SharedAccessKeyName=x;SharedAccessKey=AAAA',
    };
    const { exitCode, stderr } = await runInProcess(['enrollment', ...args], { env });
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  test.each<[string, Record<string, string>, string[], string]>([
    ['no connection string', {}, [], 'ENDORSE_CONNECTION_STRING, which is not set'],
    [
      'one that is none',
      { ENDORSE_CONNECTION_STRING: 'HostName=secret-host' },
      [],
      'has no SharedAccessKeyName',
    ],
    ['a file that is not there', {}, ['--connection-string-file', '/no/such/file'], 'cannot read'],
  ])('with %s says so and repeats nothing of it', async (_title, env, args, message) => {
    const { exitCode, stderr } = await runInProcess(['enrollment', 'list', ...args], { env });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('secret-host');
  });

  test('says what is wrong with a key the service does not know', async () => {
    await using operator = await startOperator();
    const { hostName } = parseServiceConnectionString(operator.emulator.serviceConnectionString.revealText());
    await writeFile(
      operator.file('service.txt'),
      `HostName=${hostName};SharedAccessKeyName=provisioningserviceowner;SharedAccessKey=AAAA\n`,
    );
    const file = [
      '--connection-string-file',
      operator.file('service.txt'),
      '--ca',
      operator.emulator.caFile ?? '',
    ];
    const { exitCode, stderr } = await runInProcess(['enrollment', 'list', ...file]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/ERR_SERVICE_UNAUTHORIZED[^]*remedy: +Check host, policy name and key/);
  });
});

test('an emulator with --quotas has those of the service', async () => {
  await using emulator = startCli(['emulator', '--quotas', '--json']);
  const ready = JSON.parse(await emulator.line(/"event":"ready"/)) as {
    readonly serviceConnectionString: string;
    readonly caFile: string;
  };
  await using client = createEnrollmentClient({
    connectionString: ready.serviceConnectionString,
    ca: await readFile(ready.caFile, 'utf8'),
    maxRetries: 0,
    maxConnections: 16,
  });
  const ask = (): Promise<unknown> =>
    client.enrollments.get('nobody').catch((error: unknown) => (error as { readonly status: number }).status);
  const statuses = await Promise.all(Array.from({ length: 1100 }, ask));
  // It refills while it is asked, so that a few more than a thousand are answered.
  expect(statuses.filter((status) => status === 404).length).toBeGreaterThanOrEqual(1000);
  expect(statuses).toContain(429);
});
