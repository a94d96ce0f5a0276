/** The CA on disk: made once, reused, agreed on by emulators that start together, and never silently replaced. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulator } from '@endorse/emulator';
import { expect, test } from 'vitest';
import { createAuthority } from '../src/certificate/authority.ts';
import { openAuthorityDirectory } from '../src/certificate/authority-directory.ts';
import { emulatorFixture } from './support/http-client.ts';
import { containing } from './support/matchers.ts';

async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'endorse-ca-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test('the CA is written for clients, its key only for its owner, and reused by the next emulator', async () => {
  await using directory = await temporaryDirectory();
  const caDirectory = join(directory.path, 'nested', 'ca');
  await using one = await emulatorFixture({ caDirectory });
  const { caFile = '', caPem } = one.emulator;
  expect(await readFile(caFile, 'utf8')).toBe(caPem);
  expect((await readdir(caDirectory)).toSorted()).toEqual(['ca.pem', 'endorse-ca-secret.pem']);
  expect((await stat(join(caDirectory, 'endorse-ca-secret.pem'))).mode & 0o777).toBe(0o600);
  expect(caPem).not.toContain('PRIVATE');
  await using two = await emulatorFixture({ caDirectory });
  expect(two.emulator.caPem).toBe(caPem);
  expect((await two.send({ path: '/' })).status).toBe(404);
});

test('a lost or altered ca.pem is written anew', async () => {
  await using directory = await temporaryDirectory();
  const { certificateFile, authority } = openAuthorityDirectory(directory.path, Date.now());
  await writeFile(certificateFile, 'something else');
  openAuthorityDirectory(directory.path, Date.now());
  expect(await readFile(certificateFile, 'utf8')).toBe(authority.certificatePem);
});

test('emulators that start together agree on one CA', async () => {
  await using directory = await temporaryDirectory();
  const program = `
    const { openAuthorityDirectory } = await import(process.argv[1]);
    console.log(openAuthorityDirectory(process.argv[2], Date.now()).authority.certificatePem);
  `;
  const module = new URL('../src/certificate/authority-directory.ts', import.meta.url).href;
  const run = async (): Promise<string> => {
    const flags = ['--conditions=@endorse/source', '--input-type=module', '-e', program];
    const child = spawn(process.execPath, [...flags, module, directory.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(child, 'close');
    return Buffer.concat(chunks).toString();
  };
  const authorities = await Promise.all(Array.from({ length: 4 }, run));
  expect(authorities[0]).toContain('BEGIN CERTIFICATE');
  expect(new Set(authorities).size).toBe(1);
  expect((await readdir(directory.path)).toSorted()).toEqual(['ca.pem', 'endorse-ca-secret.pem']);
});

const day = 86_400_000;
const foreign = createAuthority(Date.now());

test.each([
  ['is garbage', () => 'garbage', 0],
  [
    'holds a key of another certificate',
    () => `${pem(foreign)}${createAuthority(Date.now()).certificatePem}`,
    0,
  ],
  ['has expired', () => `${pem(foreign)}${foreign.certificatePem}`, 3651 * day],
])('a CA that %s is an error with a remedy, and stays as it is', async (_title, content, later) => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'endorse-ca-secret.pem');
  const before = content();
  await writeFile(file, before);
  const open = (): unknown => openAuthorityDirectory(directory.path, Date.now() + later);
  expect(open).toThrow(expect.objectContaining({ code: 'ERR_EMULATOR_CA', remedy: containing('delete') }));
  expect(open).not.toThrow(/PRIVATE KEY/);
  expect(await readFile(file, 'utf8')).toBe(before);
});

test('a directory that cannot be made is an error before any port is open', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'file');
  await writeFile(file, '');
  await chmod(file, 0o600);
  await expect(startEmulator({ caDirectory: join(file, 'ca') })).rejects.toMatchObject({
    code: 'ERR_EMULATOR_CA',
  });
});

function pem({ privateKey }: ReturnType<typeof createAuthority>): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
