import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import fastify from 'fastify';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { createNodeListener, issueServerCertificate, startRegistrar } from '../src/server/index.ts';
import { startHandler } from './support/registrar-fixture.ts';

function directory() {
  const path = mkdtempSync(join(tmpdir(), 'endorse-registrar-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function send(
  origin: string,
  options: {
    readonly ca?: string;
    readonly body: string;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<{ status: number | undefined; text: string }> {
  const call = origin.startsWith('https') ? request : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = call(
      `${origin}/api/register-device`,
      {
        method: 'POST',
        ...(options.ca === undefined ? {} : { ca: options.ca }),
        agent: false,
        headers: { 'content-type': 'application/json', ...options.headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode, text }));
      },
    );
    sent.once('error', reject);
    sent.end(options.body);
  });
}

describe('over TLS, with a CA of its own making', () => {
  test('a device that trusts the CA registers, and the CA outlives the registrar', async () => {
    using home = directory();
    await using fixture = await startHandler();
    const token = await fixture.mint();
    const first = await issueServerCertificate(home.path, ['localhost', '127.0.0.1', '::1'], Date.now());
    const again = await issueServerCertificate(home.path, ['localhost'], Date.now());
    expect(again.caPem).toBe(first.caPem);
    expect(statSync(join(home.path, 'ca-secret.pem')).mode & 0o777).toBe(0o600);
    expect(readFileSync(first.caFile, 'utf8')).toBe(first.caPem);
    await using registrar = await startRegistrar({ handler: fixture.handler, certificate: first });
    const body = JSON.stringify({ token, manufacturerId: 'a' });
    expect((await send(registrar.origin, { ca: first.caPem, body })).status).toBe(200);
    await expect(send(registrar.origin, { body })).rejects.toMatchObject({ code: /SELF_SIGNED|UNABLE_TO/ });
  });

  test('a CA directory that is none is a typed error with a remedy', async () => {
    const unusable = issueServerCertificate('/dev/null/ca', ['localhost'], Date.now());
    await expect(unusable).rejects.toMatchObject({
      code: 'ERR_REGISTRAR_CA',
      remedy: expect.any(String) as string,
    });
  });
});

describe('plain HTTP', () => {
  test('is served on loopback when it is asked for, and nowhere else', async () => {
    await using fixture = await startHandler();
    const { handler } = fixture;
    await expect(startRegistrar({ handler })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    for (const bind of ['0.0.0.0', '192.0.2.1', '::', 'registrar.example']) {
      await expect(startRegistrar({ handler, bind, allowPlainHttp: true })).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      });
    }
    await using registrar = await startRegistrar({ handler, allowPlainHttp: true });
    expect(registrar.origin).toMatch(/^http:\/\/localhost:\d+$/);
    await expect(
      startRegistrar({ handler, allowPlainHttp: true, port: registrar.port }),
    ).rejects.toMatchObject({ code: 'ERR_REGISTRAR_LISTEN' });
  });
});

describe('clients that misbehave', () => {
  test('huge headers are refused, and the next request is served', async () => {
    await using fixture = await startHandler();
    await using registrar = await startRegistrar({ handler: fixture.handler, allowPlainHttp: true });
    const huge = await send(registrar.origin, { body: '{}', headers: { 'x-huge': 'x'.repeat(60_000) } });
    expect(huge.status).toBe(431);
    const body = JSON.stringify({ token: await fixture.mint(), manufacturerId: 'a' });
    expect((await send(registrar.origin, { body })).status).toBe(200);
  });

  test('a body that never ends is cut off at 16 KiB, whatever it says of its length', async () => {
    await using fixture = await startHandler();
    await using registrar = await startRegistrar({ handler: fixture.handler, allowPlainHttp: true });
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(registrar.port, '127.0.0.1');
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      socket.once('close', () => resolve(text));
      socket.write(
        'POST /api/register-device HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
      );
      const chunk = `${(8192).toString(16)}\r\n${'x'.repeat(8192)}\r\n`;
      const pump = (): void => {
        while (!socket.destroyed && socket.write(chunk));
        if (!socket.destroyed) socket.once('drain', pump);
      };
      // The server hangs up in the middle of it: that is the point, not a failure.
      socket.on('error', () => resolve(text));
      pump();
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('connection: close');
  });

  test('a body that does not come is given up after ten seconds', async () => {
    await using fixture = await startHandler();
    await using registrar = await startRegistrar({ handler: fixture.handler, allowPlainHttp: true });
    const answer = new Promise<string>((resolve, reject) => {
      const socket = connect(registrar.port, '127.0.0.1');
      socket.once('error', reject);
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      socket.once('close', () => resolve(text));
      socket.write(
        'POST /api/register-device HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"tok',
      );
    });
    await expect.poll(() => fixture.clock.pendingSleeps).toBe(1);
    await fixture.clock.advance(10_000);
    expect(await answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('stopping drops a client that holds its connection open', async () => {
    using home = directory();
    await using fixture = await startHandler();
    const certificate = await issueServerCertificate(home.path, ['localhost'], Date.now());
    const registrar = await startRegistrar({ handler: fixture.handler, certificate, drainMs: 10 });
    const closed = new Promise<void>((resolve, reject) => {
      const socket = connectTls({ port: registrar.port, host: 'localhost', ca: certificate.caPem }, () => {
        void registrar.stop();
      });
      socket.once('error', reject);
      socket.once('close', () => resolve());
      socket.resume();
    });
    await closed;
    await registrar.stop();
  });
});

describe('in an application that is there already', () => {
  const register = async (
    fixture: Awaited<ReturnType<typeof startHandler>>,
    origin: string,
  ): Promise<number | undefined> => {
    const body = JSON.stringify({ token: await fixture.mint(), manufacturerId: 'a' });
    return (await send(origin, { body })).status;
  };

  test('Hono', async () => {
    await using fixture = await startHandler();
    const application = new Hono();
    application.get('/', (context) => context.text('the application'));
    application.all('/api/*', (context) => fixture.handler(context.req.raw));
    const response = await application.request('https://app.example/api/register-device', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: await fixture.mint(), manufacturerId: 'a' }),
    });
    expect(response.status).toBe(200);
    expect(await (await application.request('/')).text()).toBe('the application');
  });

  test('Fastify', async () => {
    await using fixture = await startHandler();
    const application = fastify();
    application.get('/', async () => 'the application');
    await application.register(async (scope) => {
      // The handler bounds and reads the body itself.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 32_768 }, (_request, body, done) =>
        done(null, body),
      );
      scope.all('/api/*', (incoming) =>
        fixture.handler(
          new Request(new URL(incoming.url, 'https://app.example'), {
            method: incoming.method,
            headers: new Headers(incoming.headers as Record<string, string>),
            body: incoming.method === 'GET' ? null : new Uint8Array(incoming.body as Buffer),
          }),
          { remoteAddress: incoming.ip },
        ),
      );
    });
    const origin = (await application.listen({ port: 0, host: '127.0.0.1' })).replace(
      '127.0.0.1',
      'localhost',
    );
    try {
      expect(await register(fixture, origin)).toBe(200);
      expect(await (await fetch(`${origin}/`)).text()).toBe('the application');
    } finally {
      await application.close();
    }
  });

  test('node:http', async () => {
    await using fixture = await startHandler();
    const listener = createNodeListener(fixture.handler);
    const server = createServer((incoming, outgoing) => {
      if (incoming.url?.startsWith('/api/')) listener(incoming, outgoing);
      else outgoing.end('the application');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as { readonly port: number };
      expect(await register(fixture, `http://127.0.0.1:${port}`)).toBe(200);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
