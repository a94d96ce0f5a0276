import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import type { DeviceProgress, EnsureRegisteredOptions } from '../src/client/index.ts';
import { ensureRegistered, fetchDevice, rotateCredentials } from '../src/client/index.ts';
import { issueServerCertificate, startRegistrar } from '../src/server/index.ts';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { startHandler } from './support/registrar-fixture.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A place for the state of a device, and a server that answers as a test wants it. */
async function startScene(answer?: Answer) {
  const directory = mkdtempSync(join(tmpdir(), 'endorse-device-'));
  const fixture = await startHandler();
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      bodies.push(body);
      answer?.(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/register-device`;
  const registrar = await startRegistrar({ handler: fixture.handler, allowPlainHttp: true });
  const stateFile = join(directory, 'credentials.json');
  const events: DeviceProgress[] = [];
  return {
    fixture,
    registrar,
    directory,
    bodies,
    fake,
    stateFile,
    events,
    state: () => JSON.parse(readFileSync(stateFile, 'utf8')) as Record<string, string>,
    options: async (overrides: Partial<EnsureRegisteredOptions> = {}): Promise<EnsureRegisteredOptions> => ({
      token: Secret.fromText(await fixture.mint()),
      manufacturerId: 'SN-1',
      stateFile,
      url: `${registrar.origin}/api/register-device`,
      allowPlainHttp: true,
      onProgress: (event) => void events.push(event),
      ...overrides,
    }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await registrar.stop();
      await fixture.store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const reply = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

describe('a device boots', () => {
  test('and registers: proof first, then the request, then the credentials, then the acknowledgement', async () => {
    await using scene = await startScene();
    const credentials = await ensureRegistered(await scene.options());
    expect(credentials.source).toBe('registered');
    expect(scene.events.map(({ event }) => event)).toEqual([
      'state-written',
      'request-sent',
      'reply-received',
      'credentials-stored',
      'acknowledged',
    ]);
    expect(statSync(scene.stateFile).mode & 0o777).toBe(0o600);
    expect(scene.state()).toMatchObject({
      deviceId: credentials.deviceId,
      accessSecret: credentials.accessSecret.revealText(),
    });
    expect(await scene.fixture.store.device(credentials.deviceId)).toMatchObject({
      acknowledgedAt: expect.any(Number) as number,
    });
    expect(
      await fetchDevice(
        credentials,
        await scene.options().then(({ url = '' }) => ({ url, allowPlainHttp: true })),
      ),
    ).toMatchObject({
      manufacturerId: 'SN-1',
    });
  });

  test('again, and needs no network', async () => {
    await using scene = await startScene();
    const first = await ensureRegistered(await scene.options());
    await scene.registrar.stop();
    const second = await ensureRegistered(await scene.options());
    expect(second).toMatchObject({ source: 'stored', deviceId: first.deviceId });
    expect(second.accessSecret.revealText()).toBe(first.accessSecret.revealText());
  });

  test('with the file of the original firmware', async () => {
    await using scene = await startScene();
    writeFileSync(
      scene.stateFile,
      JSON.stringify({ deviceId: 'd', accessKey: 'k', accessSecret: 's' }, null, 2),
    );
    expect(await ensureRegistered(await scene.options())).toMatchObject({ source: 'stored', deviceId: 'd' });
  });

  test('over TLS, trusting the CA it was given and no other', async () => {
    await using scene = await startScene();
    const certificate = await issueServerCertificate(scene.directory, ['localhost'], Date.now());
    await using registrar = await startRegistrar({ handler: scene.fixture.handler, certificate });
    const url = `${registrar.origin}/api/register-device`;
    await expect(ensureRegistered(await scene.options({ url }))).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_TLS',
      retryable: false,
    });
    expect(await ensureRegistered(await scene.options({ url, ca: certificate.caPem }))).toMatchObject({
      source: 'registered',
    });
  });

  test('and learns the broker from its token', async () => {
    await using scene = await startScene();
    const token = Secret.fromText(await scene.fixture.mint({ broker: 'mqtts://broker.example:8883' }));
    expect(await ensureRegistered(await scene.options({ token }))).toMatchObject({
      broker: 'mqtts://broker.example:8883',
    });
    expect(scene.state()['broker']).toBe('mqtts://broker.example:8883');
  });

  test('and rotates: the file holds the new credentials, and the old ones go when they are used', async () => {
    await using scene = await startScene();
    const options = await scene.options();
    const old = await ensureRegistered(options);
    const call = { url: options.url ?? '', allowPlainHttp: true };
    const next = await rotateCredentials(old, { ...call, stateFile: scene.stateFile });
    expect(scene.state()['accessSecret']).toBe(next.accessSecret.revealText());
    expect(await fetchDevice(next, call)).toMatchObject({ deviceId: old.deviceId });
    await expect(fetchDevice(old, call)).rejects.toMatchObject({ status: 401 });
  });
});

describe('it tries again', () => {
  test.each([
    [
      'a lost reply',
      (_request: IncomingMessage, response: ServerResponse) => response.destroy(),
      'ERR_TRANSPORT_LOST',
    ],
    [
      '503',
      (_request: IncomingMessage, response: ServerResponse) => reply(response, 503, ''),
      'ERR_REGISTRATION_REFUSED',
    ],
    [
      '429',
      (_request: IncomingMessage, response: ServerResponse) =>
        reply(response, 429, '', { 'retry-after': '7' }),
      'ERR_REGISTRATION_REFUSED',
    ],
  ] as const)('after %s, with the same proof', async (_name, first, code) => {
    let requests = 0;
    await using scene = await startScene((request, response, body) => {
      requests += 1;
      if (requests === 1) first(request, response);
      else
        reply(response, 200, {
          deviceId: 'd',
          accessKey: 'k',
          accessSecret: (JSON.parse(body) as { proof: string }).proof,
        });
    });
    const clock = new VirtualClock();
    const registered = ensureRegistered(await scene.options({ url: scene.fake, clock }));
    await expect.poll(() => clock.pendingSleeps).toBe(1);
    const [retry] = scene.events.filter(({ event }) => event === 'retry-scheduled');
    expect(retry).toMatchObject({ code });
    if (code === 'ERR_REGISTRATION_REFUSED' && _name === '429')
      expect(retry).toMatchObject({ delayMs: 7000 });
    await clock.advance(7000);
    await registered;
    const proofs = scene.bodies.map((body) => (JSON.parse(body) as { proof: string }).proof);
    expect(proofs[0]).toMatch(/^[\w-]{43}$/);
    expect(new Set(proofs).size).toBe(1);
    expect(scene.state()['proof']).toBe(proofs[0]);
  });

  test('until its time is up; the next start goes on with the same proof', async () => {
    await using scene = await startScene((_request, response) =>
      reply(response, 503, '', { 'retry-after': '5' }),
    );
    const options = await scene.options({ url: scene.fake, deadlineMs: 1000, clock: new VirtualClock() });
    const failure = ensureRegistered(options);
    await expect(failure).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      retryable: true,
      cause: { status: 503 },
    });
    const { proof } = scene.state();
    await ensureRegistered(await scene.options());
    expect(scene.state()['proof']).toBe(proof);
  });

  test('and stops at once when it is told to, with the caller’s reason', async () => {
    await using scene = await startScene((_request, response) => reply(response, 503, ''));
    const stop = new AbortController();
    const running = ensureRegistered(
      await scene.options({ url: scene.fake, signal: stop.signal, clock: new VirtualClock() }),
    );
    await expect.poll(() => scene.events.some(({ event }) => event === 'retry-scheduled')).toBe(true);
    stop.abort(new Error('shutting down'));
    await expect(running).rejects.toThrow('shutting down');
  });
});

describe('nothing is stored', () => {
  test.each<readonly [string, unknown, string]>([
    [
      'of the original’s reply of empty texts',
      { deviceId: '', accessKey: '', accessSecret: '' },
      'ERR_REMOTE_MALFORMED',
    ],
    ['of a reply without a secret', { deviceId: 'd', accessKey: 'k' }, 'ERR_REMOTE_MALFORMED'],
    ['of a reply that is no JSON', '<html>', 'ERR_REMOTE_MALFORMED'],
    ['of a reply of numbers', { deviceId: 1, accessKey: 2, accessSecret: 3 }, 'ERR_REMOTE_MALFORMED'],
    ['of a reply of a megabyte', 'x'.repeat(1_000_000), 'ERR_REMOTE_TOO_LARGE'],
    [
      'of a secret wrapped for a TPM that it has not',
      { deviceId: 'd', accessKey: 'k', wrappedSecret: { idObject: 'AA', encryptedSecret: 'AA' } },
      'ERR_REGISTRATION_SECRET',
    ],
    [
      'of a broker without TLS',
      { deviceId: 'd', accessKey: 'k', accessSecret: 's', broker: 'mqtt://broker.example' },
      'ERR_REGISTRATION_URL',
    ],
  ])('%s', async (_name, body, code) => {
    await using scene = await startScene((_request, response) => reply(response, 200, body));
    await expect(ensureRegistered(await scene.options({ url: scene.fake }))).rejects.toMatchObject({ code });
    expect(Object.keys(scene.state())).toEqual(['manufacturerId', 'proof']);
  });

  test.each([
    [403, { error: 'Device already registered.' }, /Device already registered/],
    [401, { code: 'token-refused', title: 'The registration token is not accepted' }, /not accepted/],
    [409, { code: 'already-active' }, /409/],
    [302, '', /302/],
  ])('of HTTP %i, which is final', async (status, body, message) => {
    await using scene = await startScene((_request, response) =>
      reply(response, status, body, { location: 'http://evil.example/' }),
    );
    await expect(ensureRegistered(await scene.options({ url: scene.fake }))).rejects.toMatchObject({
      code: 'ERR_REGISTRATION_REFUSED',
      status,
      message: expect.stringMatching(message) as string,
    });
    expect(scene.bodies.length).toBe(1);
  });
});

describe('before any request', () => {
  test.each<readonly [string, Partial<EnsureRegisteredOptions>, string]>([
    [
      'an http address is refused',
      { url: 'http://register.example.com/x', allowPlainHttp: true },
      'ERR_REGISTRATION_URL',
    ],
    [
      'http to this machine, unless allowed',
      { url: 'http://127.0.0.1:1/x', allowPlainHttp: false },
      'ERR_REGISTRATION_URL',
    ],
    ['an address with a password', { url: 'https://a:b@register.example.com/' }, 'ERR_REGISTRATION_URL'],
    ['a file', { url: 'file:///etc/passwd' }, 'ERR_REGISTRATION_URL'],
    ['a token that is none', { token: Secret.fromText('x') }, 'ERR_TOKEN_REFUSED'],
    ['no id', { manufacturerId: '' }, 'ERR_INVALID_ARGUMENT'],
    ['no file', { stateFile: '' }, 'ERR_INVALID_ARGUMENT'],
    ['a file that cannot be', { stateFile: '/dev/null/x' }, 'ERR_REGISTRATION_STATE'],
    ['no time', { deadlineMs: 0 }, 'ERR_OUT_OF_RANGE'],
  ])('%s', async (_name, overrides, code) => {
    await using scene = await startScene();
    await expect(ensureRegistered(await scene.options(overrides))).rejects.toMatchObject({ code });
    expect(scene.events).toEqual([]);
  });

  test.each(['', '{', '[]', '{"a":1}', '{"proof":7}'])(
    'a file that holds %j is left as it is',
    async (text) => {
      await using scene = await startScene();
      writeFileSync(scene.stateFile, text);
      await expect(ensureRegistered(await scene.options())).rejects.toMatchObject({
        code: 'ERR_REGISTRATION_STATE',
      });
      expect(readFileSync(scene.stateFile, 'utf8')).toBe(text);
    },
  );

  test('the file of another device is not used', async () => {
    await using scene = await startScene((_request, response) =>
      reply(response, 503, '', { 'retry-after': '5' }),
    );
    const clock = new VirtualClock();
    await expect(
      ensureRegistered(await scene.options({ url: scene.fake, deadlineMs: 1000, clock })),
    ).rejects.toThrow();
    await expect(ensureRegistered(await scene.options({ manufacturerId: 'SN-2' }))).rejects.toMatchObject({
      code: 'ERR_REGISTRATION_STATE',
    });
  });
});

describe('an answer about the device', () => {
  const identity = { accessKey: 'key', accessSecret: Secret.fromText('secret') };

  test.each(['', '{', '[]', 'null', '"x"'])('that holds %j is malformed, not a SyntaxError', async (text) => {
    await using scene = await startScene((_request, response) => reply(response, 200, text));
    await expect(fetchDevice(identity, { url: scene.fake, allowPlainHttp: true })).rejects.toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
    });
  });

  test('that names an inherited property as its problem has no remedy', async () => {
    await using scene = await startScene((_request, response) =>
      reply(response, 409, '{"code":"__proto__"}'),
    );
    await expect(fetchDevice(identity, { url: scene.fake, allowPlainHttp: true })).rejects.toMatchObject({
      problem: '__proto__',
      remedy: undefined,
    });
  });
});
