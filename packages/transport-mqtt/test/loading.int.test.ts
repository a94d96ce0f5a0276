import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { closedPort } from '@endorse/testkit';
import { expect, test } from 'vitest';
import { loadMqttClient } from '../src/load-client.ts';

const run = promisify(execFile);

/** Runs a module in a fresh process and returns what it loaded, package files and built-ins. */
async function loadedBy(script: string): Promise<{ readonly files: string[]; readonly builtins: string[] }> {
  const prologue = `
    import { registerHooks } from 'node:module';
    const files = [];
    registerHooks({ load(url, context, next) { files.push(url); return next(url, context); } });
    const before = new Set(process.moduleLoadList);
    const { createMqttTransport } = await import('@endorse/transport-mqtt');
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

const networking = ['NativeModule net', 'NativeModule tls', 'NativeModule http', 'NativeModule https'];

test('importing the package and opening a session loads neither mqtt.js, ws nor networking', async () => {
  const { files, builtins } = await loadedBy(`
    const target = { provisioningHost: 'dps.example.test', idScope: '0ne1', registrationId: 'device-1' };
    await createMqttTransport({ webSocket: true }).openSession(target, { kind: 'symmetric-key' }).close();
  `);
  expect(builtins.filter((name) => networking.includes(name))).toEqual([]);
  const own = /\/packages\/(transport-mqtt|transport-socket|interface|protocol)\/|^node:/;
  expect(files.filter((file) => !own.test(file))).toEqual([]);
});

test('the first request over TLS loads the client of mqtt.js without its connectors, and no WebSocket', async () => {
  const { files } = await loadedBy(`
    import { Secret } from '@endorse/interface';
    const target = { provisioningHost: 'localhost:${await closedPort()}', idScope: '0ne1', registrationId: 'device-1' };
    const session = createMqttTransport().openSession(target, { kind: 'symmetric-key' });
    const request = { sasToken: Secret.fromText('x'), registrationId: 'device-1', operationId: '5.op' };
    await session.queryOperationStatus(request, { signal: AbortSignal.timeout(10000) }).catch(() => undefined);
    await session.close();
  `);
  expect(files.some((file) => file.endsWith('/mqtt/build/lib/client.js'))).toBe(true);
  expect(files.filter((file) => /\/node_modules\/(ws|socks)\/|\/lib\/connect\//.test(file))).toEqual([]);
});

test('what is loaded is the client that the package exports', async () => {
  const { MqttClient } = await import('mqtt');
  expect(loadMqttClient()).toBe(MqttClient);
});
