/** Everything that can go wrong on the way, and that no error, log line or inspected client holds a secret. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import type { Logger } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { afterEach, expect, test, vi } from 'vitest';
import { loadUndici } from '../src/load-undici.ts';
import type { ScriptedReply } from './support/service.ts';
import { policyKey, startService } from './support/service.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each<[string, ScriptedReply, object]>([
  ['an error page', { status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>' }, { status: 502 }],
  ['a redirect', { status: 302, headers: { location: 'https://x.test/' } }, { code: 'ERR_REMOTE_REDIRECT' }],
  ['HTML', { status: 200, headers: { 'content-type': 'text/html' } }, { code: 'ERR_REMOTE_CONTENT_TYPE' }],
  ['no JSON', { status: 200, body: '{' }, { code: 'ERR_REMOTE_MALFORMED' }],
  ['another JSON', { status: 200, body: [] }, { code: 'ERR_REMOTE_MALFORMED' }],
  [
    '403',
    { status: 403 },
    { code: 'ERR_SERVICE_FORBIDDEN', remedy: expect.stringContaining('policy') as unknown },
  ],
  ['17 MiB', { status: 200, body: ' '.repeat(17_825_792) }, { code: 'ERR_REMOTE_TOO_LARGE' }],
])('%s is an error with a code', async (_title, reply, error) => {
  await using service = await startService(() => reply);
  const { enrollments } = service.client({ maxRetries: 0 });
  await expect(enrollments.get('r')).rejects.toMatchObject(error);
});

test('an answer that does not come, an abort and a close end a request', async () => {
  await using service = await startService(() => undefined);
  await expect(service.client({ requestTimeoutMs: 20 }).enrollments.get('r')).rejects.toMatchObject({
    code: 'ERR_TIMEOUT',
    deadlineMs: 20,
    retryable: true,
  });
  const client = service.client();
  const stop = new AbortController();
  const stopped = client.enrollments.get('stopped', { signal: stop.signal });
  const closed = client.enrollmentGroups.get('closed');
  const outcomes = Promise.allSettled([stopped, closed]);
  const isUnderWay = (id: string): boolean =>
    service.requests.some(({ target }) => target.includes(`/${id}?`));
  await vi.waitFor(() => expect(['stopped', 'closed'].every(isUnderWay)).toBe(true), {
    timeout: 20_000,
    interval: 2,
  });
  const reason = new Error('enough');
  stop.abort(reason);
  await expect(stopped).rejects.toBe(reason);
  await client.close();
  await expect(closed).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
  await outcomes;
});

test('a host that is not there, a port nobody listens on, and a certificate nobody signed have codes of their own', async () => {
  await using service = await startService(() => undefined);
  const unused = createServer().listen(0, '127.0.0.1');
  await once(unused, 'listening');
  const { port } = unused.address() as AddressInfo;
  unused.close();
  await once(unused, 'close');
  await expect(service.client({ hostName: `localhost:${port}` }).enrollments.get('r')).rejects.toMatchObject({
    code: 'ERR_TRANSPORT_CONNECT',
    phase: 'connect',
    retryable: true,
  });
  await expect(service.client({ hostName: 'nobody.invalid' }).enrollments.get('r')).rejects.toMatchObject({
    code: 'ERR_TRANSPORT_DNS',
  });
  await expect(service.client({ ca: undefined }).enrollments.get('r')).rejects.toMatchObject({
    code: 'ERR_TRANSPORT_TLS',
    remedy: expect.stringContaining('`ca`') as unknown,
  });
});

interface Proxy extends AsyncDisposable {
  readonly port: number;
  readonly heads: readonly string[];
}

async function startProxy(status = '200 Connection established'): Promise<Proxy> {
  const heads: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (head: Buffer) => {
      heads.push(head.toString('latin1'));
      const [, host = '', port = ''] = /^CONNECT ([^\s:]+):(\d+)/.exec(head.toString()) ?? [];
      if (!status.startsWith('200')) {
        socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`);
        return;
      }
      const upstream = connect({ host, port: Number(port) }, () => {
        socket.write(`HTTP/1.1 ${status}\r\n\r\n`);
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('close', () => upstream.destroy());
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    heads,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

const found: ScriptedReply = { status: 200, body: { registrationId: 'r', attestation: { type: 'none' } } };

test('a proxy is tunnelled through with its credentials, given or from the environment', async () => {
  await using proxy = await startProxy();
  await using service = await startService(() => found);
  const proxyUrl = Secret.fromText(`http://user:password@127.0.0.1:${proxy.port}`);
  const given = service.client({ proxyUrl });
  await given.enrollments.get('r');
  await given.close();
  expect(proxy.heads[0]).toContain(`CONNECT ${service.host} `);
  expect(proxy.heads[0]?.toLowerCase()).toContain(
    `proxy-authorization: basic ${Buffer.from('user:password').toString('base64').toLowerCase()}`,
  );
  vi.stubEnv('https_proxy', `http://127.0.0.1:${proxy.port}`);
  vi.stubEnv('HTTPS_PROXY', '');
  vi.stubEnv('no_proxy', '');
  vi.stubEnv('NO_PROXY', '');
  const fromEnvironment = service.client({ proxyFromEnvironment: true });
  await fromEnvironment.enrollments.get('r');
  await fromEnvironment.close();
  expect(proxy.heads).toHaveLength(2);
  vi.stubEnv('no_proxy', 'localhost');
  const excepted = service.client({ proxyFromEnvironment: true });
  await excepted.enrollments.get('r');
  await excepted.close();
  expect(proxy.heads).toHaveLength(2);
});

test('a proxy that refuses is an error without its password', async () => {
  await using proxy = await startProxy('407 Proxy Authentication Required');
  await using service = await startService(() => found);
  const client = service.client({ proxyUrl: `http://user:pass-word@127.0.0.1:${proxy.port}` });
  const error = await client.enrollments.get('r').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'ERR_TRANSPORT_PROXY', phase: 'proxy', retryable: false });
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('pass-word');
  await client.close();
});

test('nothing that is logged, thrown or inspected holds a key or a token', async () => {
  await using service = await startService(() => ({ status: 401, body: { message: 'no' } }));
  const lines: string[] = [];
  const logger: Logger = { log: (...line) => lines.push(inspect(line, { depth: 10 })) };
  const client = service.client({ logger });
  const error = await client.enrollments.get('r').catch((thrown: unknown) => thrown);
  const said = [
    ...lines,
    inspect(error, { depth: 10, showHidden: true }),
    inspect(client, { depth: 10 }),
  ].join('\n');
  expect(lines.length).toBe(2);
  const secrets = [
    policyKey.revealText(),
    Buffer.from(policyKey.reveal()).toString('base64'),
    service.requests[0]?.headers.authorization ?? 'none',
    'sig=',
  ];
  for (const secret of secrets) expect(said).not.toContain(secret);
});

const run = promisify(execFile);

test('importing the package loads no undici, and the first request neither fetch nor its caches', async () => {
  const script = `
    import { registerHooks } from 'node:module';
    const files = [];
    registerHooks({ load(url, context, next) { files.push(url); return next(url, context); } });
    const { createEnrollmentClient } = await import('@endorse/enrollment-client');
    const { Secret } = await import('@endorse/interface');
    const before = files.filter((file) => file.includes('/undici/'));
    const client = createEnrollmentClient({
      hostName: 'localhost:1', sharedAccessKeyName: 'x', sharedAccessKey: Secret.fromText('x'),
    });
    await client.enrollments.get('r').catch(() => undefined);
    await client.close();
    const after = files.filter((file) => file.includes('/undici/'));
    console.log(JSON.stringify({ before, after }));
  `;
  const { stdout } = await run(
    process.execPath,
    ['--conditions=@endorse/source', '--input-type=module', '--eval', script],
    { cwd: fileURLToPath(new URL('..', import.meta.url)), timeout: 25_000 },
  );
  const { before, after } = JSON.parse(stdout) as { before: string[]; after: string[] };
  expect(before).toEqual([]);
  expect(after.some((file) => file.endsWith('/lib/dispatcher/pool.js'))).toBe(true);
  expect(after.filter((file) => /\/lib\/web\/|undici\/index\.js$/.test(file))).toEqual([]);
});

test('a later undici that hides its files is loaded as a whole', async () => {
  const { Pool } = await import('undici');
  const parts = await loadUndici(() => Promise.reject(new Error('ERR_PACKAGE_PATH_NOT_EXPORTED')));
  expect(parts.Pool).toBe(Pool);
  expect(typeof parts.request).toBe('function');
});
