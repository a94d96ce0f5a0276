/** Processes are killed where it hurts: nothing may be lost, burnt or doubled. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Secret } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import { expect, test } from 'vitest';
import { openSqlite, openStore } from '../src/store/index.ts';
import { createAsymmetricTokenKey, mintToken } from '../src/tokens/index.ts';
import { ed25519, issuer, url } from './support/forge.ts';

const script = (name: string): string => fileURLToPath(new URL(`./support/${name}.ts`, import.meta.url));

function start(name: string, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['--conditions=@endorse/source', script(name)], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const line = once(lines, 'line').then(([text]) => String(text));
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  // Whichever of the two comes is waited for; the other one must not be an unhandled rejection.
  line.catch(() => undefined);
  return {
    line,
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function startScene() {
  const directory = mkdtempSync(join(tmpdir(), 'endorse-power-'));
  const minted = await mintToken({
    key: createAsymmetricTokenKey({ issuer, keyId: 'ed', key: ed25519 }),
    url,
    expiresInMs: 3_600_000,
    maxUses: 1,
    now: Date.now(),
    random: systemRandom,
  });
  const databaseFile = join(directory, 'registrar.db');
  return {
    registrar: (env = {}) => start('registrar-child', { DATABASE_FILE: databaseFile, ...env }),
    device: (origin: string, env = {}) =>
      start('device-child', {
        TOKEN: minted.token.revealText(),
        STATE_FILE: join(directory, 'credentials.json'),
        ORIGIN: origin,
        ...env,
      }),
    /** What the database holds in the end. */
    devices: async () => {
      await using store = await openStore({
        database: await openSqlite(databaseFile),
        peppers: { 1: Secret.fromBytes(new Uint8Array(32).fill(9)) },
      });
      const devices = [];
      for await (const { deviceId } of store.devices()) devices.push(deviceId);
      const live = [];
      for await (const credential of store.liveCredentials()) live.push(credential.deviceId);
      return { devices, live };
    },
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

test('the registrar dies between commit and reply: the device tries on, and is that device', async () => {
  await using scene = await startScene();
  await using dying = scene.registrar({ DIE_BEFORE_REPLY: '1' });
  const origin = await dying.line;
  await using device = scene.device(origin);
  expect(await dying.ended).toEqual({ code: null, signal: 'SIGKILL' });
  const committed = await scene.devices();
  expect(committed.devices.length).toBe(1);
  await using next = scene.registrar({ PORT: new URL(origin).port });
  await next.line;
  const deviceId = await device.line;
  expect(await device.ended).toEqual({ code: 0, signal: null });
  expect(await scene.devices()).toEqual({ devices: [deviceId], live: [deviceId] });
  expect(committed.devices).toEqual([deviceId]);
});

test.each(['state-written', 'reply-received', 'credentials-stored'])(
  'the device dies at %s: the next boot is the same device, on a token of one use',
  async (event) => {
    await using scene = await startScene();
    await using registrar = scene.registrar();
    const origin = await registrar.line;
    await using first = scene.device(origin, { DIE_AT: event });
    expect(await first.ended).toEqual({ code: null, signal: 'SIGKILL' });
    await using second = scene.device(origin);
    const deviceId = await second.line;
    expect(await scene.devices()).toEqual({ devices: [deviceId], live: [deviceId] });
  },
);
