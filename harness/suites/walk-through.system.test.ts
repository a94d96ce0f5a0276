/**
 * The walk-through of the original template, word for word: its curl command, with nothing but its three placeholders
 * filled in, against `endorse registrar` in compatibility mode. Oracle: curl.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseJsonLines, runProgram } from '../support/run-program.ts';

const command = `curl -H "Content-Type: application/json" \\
-X POST \\
-d '{ "token": "THE_REGISTRATION_TOKEN", "manufacturerId": "UNIQUE_MANUFACTURER_ID" }' \\
https://<YOUR_APP_ID>.onlosant.com/api/register-device`;

const cli = new URL('../../packages/cli/src/main.ts', import.meta.url);

async function startRegistrar(env: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'endorse-walk-through-'));
  const data = join(folder, 'registrar');
  const options = ['--compatible', '--issuer', 'example.com', '--token-secret-env', 'SECRET', '--data', data];
  const child = spawn(
    process.execPath,
    ['--conditions=@endorse/source', fileURLToPath(cli), 'registrar', '--json', '--port', '0', ...options],
    { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'close');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const ready = JSON.parse(line) as Readonly<Record<'url' | 'caFile', string>>;
  return {
    ...ready,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function runShell(text: string, env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn('/bin/sh', ['-c', text], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  await once(child, 'close');
  return output;
}

test('the curl command of the original registers a device, and is refused the second time', async () => {
  const env = { SECRET: 'any string value' };
  await using registrar = await startRegistrar(env);
  const mint = ['token', 'mint', '--compatible', '--issuer', 'example.com', '--token-secret-env', 'SECRET'];
  const minted = await runProgram(cli, [...mint, '--url', registrar.url, '--json'], env);
  const token = String(parseJsonLines(minted.stdout)[0]?.['token']);
  const filled = command
    .replace('THE_REGISTRATION_TOKEN', token)
    .replace('UNIQUE_MANUFACTURER_ID', 'AA:BB:CC:DD:EE:FF')
    .replace('https://<YOUR_APP_ID>.onlosant.com/api/register-device', registrar.url);
  const trust = { CURL_CA_BUNDLE: registrar.caFile };
  const reply = JSON.parse(await runShell(filled, trust)) as Readonly<Record<string, string>>;
  expect(Object.keys(reply)).toEqual(['deviceId', 'accessKey', 'accessSecret']);
  expect(Object.values(reply)).not.toContain('');
  expect(await runShell(filled, trust)).toBe('{"error":"Device already registered."}');
  expect(await runShell(filled.replace(token, 'x'), trust)).toBe('{"error":"Invalid registration token"}');
  expect(await runShell(filled.replace('manufacturerId', 'id'), trust)).toBe(
    '{"error":"Missing manufacturerId field."}',
  );
});
