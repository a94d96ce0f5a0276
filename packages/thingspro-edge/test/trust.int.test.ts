import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayTrust, PinStore } from '@endorse/thingspro-edge';
import {
  createGatewayClient,
  createMemoryPins,
  openPinsFile,
  readShownFingerprint,
} from '@endorse/thingspro-edge';
import { describe, expect, test } from 'vitest';
import {
  authority,
  certificates,
  firstFingerprint,
  firstPublicKeyHash,
  password,
  startGateway,
  trusting,
} from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';

const credentials = { name: 'admin', password };
const other = 'ab'.repeat(32);

const attempt = (gateway: Gateway, trust: GatewayTrust, extra: object = {}): Promise<unknown> =>
  createGatewayClient({ host: '127.0.0.1', port: gateway.port, pinName: 'TBBDB1179242', trust, ...extra })
    .signIn(credentials)
    .then((session) => session.close());

async function temporaryFile(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'endorse-pins-'));
  return {
    path: join(folder, 'pins.txt'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

describe('[L7] the password stays here', () => {
  test.each([
    ['strict, and nothing is pinned', { mode: 'strict', pins: createMemoryPins() }, 'ERR_PIN_UNKNOWN'],
    [
      'strict, and another certificate is pinned',
      { mode: 'strict', pins: createMemoryPins({ tbbdb1179242: other }) },
      'ERR_PIN_MISMATCH',
    ],
    [
      'trust on first use, and another certificate is pinned',
      { mode: 'trust-on-first-use', pins: createMemoryPins({ tbbdb1179242: other }) },
      'ERR_PIN_MISMATCH',
    ],
    ['an authority that did not sign the certificate', { mode: 'ca', ca: authority }, 'ERR_TRANSPORT_TLS'],
  ] as readonly (readonly [string, GatewayTrust, string])[])('with %s', async (_what, trust, code) => {
    await using gateway = await startGateway();
    const refused = attempt(gateway, trust);
    await expect(refused).rejects.toMatchObject({ code, retryable: false });
    await expect(refused).rejects.toHaveProperty('remedy', expect.stringMatching(/\w/));
    expect(gateway.requests).toEqual([]);
    expect(gateway.connections).toBe(1);
  });

  test('with a first use whose certificate and key are not the announced ones', async () => {
    await using gateway = await startGateway();
    const pins = createMemoryPins();
    const trust = { mode: 'trust-on-first-use', pins } as const;
    const refused = attempt(gateway, trust, { announcedFingerprint: other });
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_PIN_MISMATCH',
      fingerprint: gateway.fingerprint,
    });
    expect(gateway.requests).toEqual([]);
    expect(await pins.get('TBBDB1179242')).toEqual([]);
    await attempt(gateway, trust, { announcedFingerprint: firstPublicKeyHash });
    await pins.set('TBBDB1179242', []);
    await attempt(gateway, trust, { announcedFingerprint: firstFingerprint });
  });

  test('while the pins cannot be read', async () => {
    await using gateway = await startGateway();
    await using file = await temporaryFile();
    await writeFile(file.path, 'TBBDB1179242 sha256:zz\n');
    const refused = attempt(gateway, { mode: 'trust-on-first-use', pins: openPinsFile(file.path) });
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_PINS_FILE',
      message: expect.stringContaining('line 1') as string,
    });
    expect(gateway.requests).toEqual([]);
  });

  test('when the attempt is aborted while pins are looked up, and when a late answer comes after that', async () => {
    await using gateway = await startGateway();
    const abort = new AbortController();
    let answer = (_pins: readonly string[]): void => undefined;
    const pins: PinStore = {
      get: () =>
        new Promise((resolve) => {
          answer = resolve;
          abort.abort(new Error('enough'));
        }),
      set: async () => undefined,
    };
    const client = createGatewayClient({ ...trusting(gateway), trust: { mode: 'strict', pins } });
    await expect(client.signIn(credentials, { signal: abort.signal })).rejects.toThrow('enough');
    answer([gateway.fingerprint]);
    await expect.poll(() => gateway.open).toBe(0);
    expect(gateway.requests).toEqual([]);
  });
});

test('trust on first use pins what it saw, under the serial number in any case, and then insists on it', async () => {
  await using file = await temporaryFile();
  await using gateway = await startGateway();
  const trust = { mode: 'trust-on-first-use', pins: openPinsFile(file.path) } as const;
  await attempt(gateway, trust);
  expect(await readFile(file.path, 'utf8')).toBe(`tbbdb1179242 sha256:${gateway.fingerprint}\n`);
  if (process.platform !== 'win32') expect((await stat(file.path)).mode & 0o777).toBe(0o600);
  // A new address does not matter, a new certificate does.
  await using moved = await startGateway();
  await attempt(moved, trust, { pinName: 'tbbdb1179242' });
  await using impostor = await startGateway({ certificate: certificates.second });
  await expect(attempt(impostor, trust)).rejects.toMatchObject({ code: 'ERR_PIN_MISMATCH' });
  expect(impostor.requests).toEqual([]);
});

test.each([
  ['the address it was issued for', {}],
  ['the name it was issued for', { serverName: 'gateway.example.test' }],
])('an authority vouches for a gateway with %s', async (_what, extra) => {
  await using gateway = await startGateway({ certificate: certificates.signed });
  await attempt(gateway, { mode: 'ca', ca: authority, ...extra });
  const wrongName = attempt(gateway, { mode: 'ca', ca: [authority], serverName: 'other.example.test' });
  await expect(wrongName).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
});

test('a look at the fingerprint sends nothing, prints what openssl prints, and ends', async () => {
  await using gateway = await startGateway();
  const fingerprint = await readShownFingerprint({ host: '127.0.0.1', port: gateway.port });
  expect(fingerprint).toBe(firstFingerprint.replaceAll(':', '').toLowerCase());
  expect(gateway.requests).toEqual([]);
  await expect.poll(() => gateway.open).toBe(0);
  const aborted = readShownFingerprint({
    host: '127.0.0.1',
    port: gateway.port,
    signal: AbortSignal.abort(new Error('no')),
  });
  await expect(aborted).rejects.toThrow('no');
  await gateway[Symbol.asyncDispose]();
  const gone = readShownFingerprint({ host: '127.0.0.1', port: gateway.port });
  await expect(gone).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CONNECT', retryable: true });
});

describe('the pins file', () => {
  test('keeps comments, takes every spelling, replaces, forgets, and goes on after a torn line was mended', async () => {
    await using file = await temporaryFile();
    await writeFile(file.path, `# line 3, compared with the labels\n\nGW-1  SHA256:${firstFingerprint}`);
    const pins = openPinsFile(file.path);
    const first = firstFingerprint.replaceAll(':', '').toLowerCase();
    expect(await pins.get('gw-1')).toEqual([first]);
    // Writes of many gateways at once, behind a last line without its end.
    await Promise.all(Array.from({ length: 20 }, (_, index) => pins.set(`gw-${index + 2}`, [other])));
    await pins.set('gw-1', [first, other]);
    expect(await pins.get('GW-1')).toEqual([first, other]);
    await pins.set('gw-1', [other]);
    expect(await pins.get('gw-1')).toEqual([other]);
    await pins.set('gw-2', []);
    const lines = (await readFile(file.path, 'utf8')).split('\n');
    expect(lines.slice(0, 2)).toEqual(['# line 3, compared with the labels', '']);
    expect(lines.filter((line) => line.startsWith('gw-'))).toHaveLength(20);
    await appendFile(file.path, 'gw-9');
    await expect(pins.get('gw-1')).rejects.toMatchObject({ code: 'ERR_PINS_FILE' });
    await expect(pins.set('gw-1', [])).rejects.toMatchObject({ code: 'ERR_PINS_FILE' });
  });

  test('says so when it cannot be used', async () => {
    await using file = await temporaryFile();
    const pins = openPinsFile(join(file.path, 'below', 'nothing'));
    expect(await pins.get('gw-1')).toEqual([]);
    await expect(pins.set('gw-1', [other])).rejects.toMatchObject({
      code: 'ERR_PINS_FILE',
      remedy: expect.any(String) as string,
    });
    expect(() => openPinsFile('')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
  });
});
