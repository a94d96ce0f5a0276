import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { closedPort } from '@endorse/testkit';
import { expect, test } from 'vitest';
import { loadClient } from '../src/load-client.ts';

const run = promisify(execFile);

/** Runs a module in a fresh process and returns what it loaded, package files and built-ins, in sets. */
async function loadedBy(script: string): Promise<{ readonly files: string[]; readonly builtins: string[] }> {
  const prologue = `
    import { registerHooks } from 'node:module';
    const files = [];
    registerHooks({ load(url, context, next) { files.push(url); return next(url, context); } });
    const before = new Set(process.moduleLoadList);
    const transportHttp = await import('@endorse/transport-http');
    const { createHttpPump } = await import('@endorse/transport-http/pump');
  `;
  const epilogue = `
    const builtins = process.moduleLoadList.filter((name) => !before.has(name));
    console.log(JSON.stringify({ files, builtins }));
  `;
  const args = [
    '--conditions=@endorse/source',
    '--input-type=module',
    '--eval',
    prologue + script + epilogue,
  ];
  const { stdout } = await run(process.execPath, args, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    timeout: 20_000,
  });
  return JSON.parse(stdout) as { files: string[]; builtins: string[] };
}

const isUndici = (file: string): boolean => file.includes('/undici/');
const networking = ['NativeModule net', 'NativeModule tls', 'NativeModule http', 'NativeModule https'];

test('importing the package and opening a session loads neither undici nor networking', async () => {
  const { files, builtins } = await loadedBy(`
    const target = { provisioningHost: 'dps.example.test', idScope: '0ne1', registrationId: 'device-1' };
    await transportHttp.createHttpTransport().openSession(target, { kind: 'tpm' }).close();
    createHttpPump()({ host: 'dps.example.test' }).close();
  `);
  expect(files.filter(isUndici)).toEqual([]);
  expect(builtins.filter((name) => networking.includes(name))).toEqual([]);
  const foreign = files.filter(
    (file) =>
      !/\/packages\/(transport-http|transport-socket|interface|protocol)\/|^node:/.test(file) &&
      !isUndici(file),
  );
  expect(foreign).toEqual([]);
});

test('the first request loads the HTTP/1.1 client of undici and nothing that makes fetch', async () => {
  const { files } = await loadedBy(`
    import { Secret } from '@endorse/interface';
    const target = { provisioningHost: 'localhost:${await closedPort()}', idScope: '0ne1', registrationId: 'device-1' };
    const session = transportHttp.createHttpTransport().openSession(target, { kind: 'symmetric-key' });
    const request = { sasToken: Secret.fromText('x'), registrationId: 'device-1', operationId: '5.op' };
    await session.queryOperationStatus(request, { signal: AbortSignal.timeout(10000) }).catch(() => undefined);
    await session.close();
  `);
  const undici = files.filter(isUndici);
  expect(undici.some((file) => file.endsWith('/lib/dispatcher/client.js'))).toBe(true);
  expect(undici.filter((file) => /\/lib\/web\/|undici\/index\.js$/.test(file))).toEqual([]);
});

test('a later undici that hides the file of its client is loaded as a whole', async () => {
  const { Client } = await import('undici');
  expect(await loadClient(() => Promise.reject(new Error('ERR_PACKAGE_PATH_NOT_EXPORTED')))).toBe(Client);
  expect((await loadClient()).name).toBe('Client');
});
