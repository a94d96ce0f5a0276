/**
 * The walk-through of the sample firmware: edit two constants, run it. It registers over TLS, keeps its credentials and
 * connects to a broker over TLS. The registrar is in compatibility mode with a weak secret, as the original is; the
 * broker is aedes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import {
  createAedesAuthenticator,
  createRegistrationHandler,
  issueServerCertificate,
  startRegistrar,
} from '@endorse/dynamic-registration/server';
import { openSqlite, openStore } from '@endorse/dynamic-registration/store';
import { createSecretTokenKey, mintToken } from '@endorse/dynamic-registration/tokens';
import { Secret } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import { Aedes } from 'aedes';
import { describe, expect, test } from 'vitest';

const source = fileURLToPath(
  new URL('../../packages/dynamic-registration/examples/firmware/index.js', import.meta.url),
);

/** A registrar as the original, weak secret included, a broker, and a folder where packages resolve from. */
async function startScene() {
  const resources = new AsyncDisposableStack();
  const folder = fileURLToPath(
    new URL(`../.cache/firmware-${process.pid}-${Math.random()}`, import.meta.url),
  );
  mkdirSync(folder, { recursive: true });
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const certificate = await issueServerCertificate(folder, ['localhost'], Date.now());
  const peppers = { 1: Secret.fromBytes(new Uint8Array(32).fill(5)) };
  const store = resources.use(await openStore({ database: await openSqlite(':memory:'), peppers }));
  const key = createSecretTokenKey({
    issuer: 'example.com',
    secret: Secret.fromText('YOUR JWT SECRET'),
    acceptWeakSecret: true,
  });
  const handler = createRegistrationHandler({ store, keys: [key], audience: [], compatible: true });
  const registrar = resources.use(await startRegistrar({ handler, certificate }));

  const authenticator = resources.use(createAedesAuthenticator({ store, intervalMs: 100 }));
  const broker = await Aedes.createBroker({ ...authenticator.handlers });
  broker.on('clientDisconnect', (client) => authenticator.forget(client));
  const { certificatePem: cert, privateKeyPem } = certificate;
  const server = createServer({ cert, key: privateKeyPem }, (socket) => void broker.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  resources.defer(async () => {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const brokerUrl = `mqtts://localhost:${(server.address() as AddressInfo).port}`;
  const { token } = await mintToken({
    key,
    compatible: true,
    url: `${registrar.origin}/api/register-device`,
    broker: brokerUrl,
    now: Date.now(),
    random: systemRandom,
  });

  // Step 2 of the walk-through: edit the two constants.
  const firmware = readFileSync(source, 'utf8')
    .replace('THE_REGISTRATION_TOKEN', token.revealText())
    .replace('UNIQUE_MANUFACTURER_ID', 'SN-000042');
  writeFileSync(`${folder}/index.js`, firmware);
  writeFileSync(`${folder}/package.json`, '{ "type": "module" }');
  const run = () => {
    const child = spawn(process.execPath, ['--conditions=@endorse/source', 'index.js'], {
      cwd: folder,
      env: { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: certificate.caFile },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    const ended = once(child, 'close').then(([code]) => code as unknown);
    resources.defer(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    return { output: () => output, ended, stop: () => child.kill('SIGINT') };
  };
  return { folder, store, broker, registrar, run, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

describe('the sample firmware', () => {
  test('registers once, connects, and the next start uses what it kept', async () => {
    await using scene = await startScene();
    const states: string[] = [];
    scene.broker.on('publish', (packet) => {
      if (packet.topic.endsWith('/state')) states.push(`${packet.topic} ${String(packet.payload)}`);
    });
    const first = scene.run();
    await expect.poll(first.output, { timeout: 20_000 }).toContain('Connected to the broker.');
    const credentialsFile = `${scene.folder}/credentials.json`;
    const { deviceId } = JSON.parse(readFileSync(credentialsFile, 'utf8')) as { deviceId: string };
    await expect.poll(() => states).toEqual([`losant/${deviceId}/state {"data":{"running":1}}`]);
    expect(statSync(credentialsFile).mode & 0o777).toBe(0o600);
    first.stop();
    expect(await first.ended).toBe(0);

    await scene.registrar.stop();
    const second = scene.run();
    await expect.poll(second.output, { timeout: 20_000 }).toContain('Connected to the broker.');
    expect(second.output()).toContain(`Known as device ${deviceId}.`);

    // What the original cannot: the operator revokes it, the live session ends, and it says why.
    await scene.store.revokeDevice(deviceId);
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain('ask the operator');
  });

  test('whose id another device has says so, and keeps no credentials', async () => {
    await using scene = await startScene();
    const first = scene.run();
    await expect.poll(first.output, { timeout: 20_000 }).toContain('Connected to the broker.');
    first.stop();
    await first.ended;
    rmSync(`${scene.folder}/credentials.json`);
    const clone = scene.run();
    expect(await clone.ended).toBe(1);
    expect(clone.output()).toContain('Device already registered.');
    expect(readFileSync(`${scene.folder}/credentials.json`, 'utf8')).not.toContain('deviceId');
  });
});
