import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { jsonLines, runInProcess } from './support/run-in-process.ts';

const anonymous = ['register', '--host', 'localhost:1', '--id-scope', 'scope'];
const byKey = [...anonymous, '--symmetric-key-env', 'DEVICE_KEY', '--registration-id', 'd'];
const byCertificate = [...anonymous, '--x509-cert', '/nonexistent.pem', '--x509-key', '/nonexistent.key'];
const goodKey = randomBytes(32).toString('base64');

describe('an identity that cannot be used ends with 2 and says why', () => {
  test.each([
    ['none', anonymous, {}, /no identity: give --tpm URL, --symmetric-key-env VAR, or --x509-cert FILE/],
    [
      'a key and a TPM',
      [...byKey, '--tpm', 'tbs:'],
      { DEVICE_KEY: goodKey },
      /--tpm and --symmetric-key-env/,
    ],
    [
      'a key and a certificate',
      [...byKey, '--x509-cert', 'F'],
      { DEVICE_KEY: goodKey },
      /--symmetric-key-env and --x509-cert exclude each other/,
    ],
    ['a key without a name', byKey.slice(0, -2), { DEVICE_KEY: goodKey }, /--registration-id is missing/],
    ['a key that is not there', byKey, {}, /--symmetric-key-env names DEVICE_KEY, which is not set/],
    ['a key that is empty', byKey, { DEVICE_KEY: '' }, /does not hold a key in base64/],
    ['a key that is not base64', byKey, { DEVICE_KEY: 'no key!' }, /does not hold a key in base64/],
    [
      'a key that is too short',
      byKey,
      { DEVICE_KEY: 'AAAA' },
      /--symmetric-key-env must have 16 to 64 bytes/,
    ],
    [
      'a bad registration id',
      [...byKey.slice(0, -1), 'a b'],
      { DEVICE_KEY: goodKey },
      /--registration-id must consist of/,
    ],
    [
      'a password for a TPM that is not used',
      [...byKey, '--owner-auth-env', 'A'],
      { DEVICE_KEY: goodKey, A: 'x' },
      /--owner-auth-env belongs to --tpm/,
    ],
    [
      'a passphrase for a certificate that is not used',
      [...byKey, '--x509-passphrase-env', 'A'],
      { DEVICE_KEY: goodKey, A: 'x' },
      /--x509-passphrase-env belongs to --x509-cert/,
    ],
    ['a certificate without its key', byCertificate.slice(0, -2), {}, /--x509-key is missing/],
    ['a key without its certificate', [...anonymous, '--x509-key', 'F'], {}, /--x509-cert is missing/],
    [
      'a passphrase that is not there',
      [...byCertificate, '--x509-passphrase-env', 'NOT_SET'],
      {},
      /names NOT_SET, which is not set/,
    ],
  ])('%s', async (_name, args, env: Readonly<Record<string, string>>, problem) => {
    const { exitCode, stdout, stderr } = await runInProcess([...args, '--json'], { env });
    expect(stderr).toMatch(problem);
    expect(exitCode).toBe(2);
    expect(jsonLines(stdout)).toMatchObject([{ event: 'error', code: 'ERR_USAGE' }]);
  });

  test('a certificate that is not there, under the code of its package', async () => {
    const { exitCode, stdout, stderr } = await runInProcess([...byCertificate, '--json']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/\/nonexistent\.pem/);
    expect(jsonLines(stdout)).toMatchObject([{ event: 'error', code: 'ERR_X509_FILE_UNREADABLE' }]);
  });
});

test.each([
  ['with padding', goodKey],
  ['that looks like a name', 'abcdefghijklmnopqrstuvwxABCDEFGH'],
])('a key on the command line is not repeated: one %s', async (_name, key) => {
  const args = [...anonymous, '--symmetric-key-env', key, '--registration-id', 'd', '--json'];
  const { exitCode, stdout, stderr } = await runInProcess(args);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/takes the name of an environment variable, not the secret itself/);
  expect(`${stdout}${stderr}`).not.toContain(key);
});

test('a text that is no key stays out of the output', async () => {
  const { stdout, stderr } = await runInProcess([...byKey, '--json'], {
    env: { DEVICE_KEY: 'not-base64-but-secret' },
  });
  expect(`${stdout}${stderr}`).not.toContain('but-secret');
});
