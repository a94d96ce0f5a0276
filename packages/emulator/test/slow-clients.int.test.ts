/** Bounds on slow clients, with bounds short enough for a test. Oracle: the clock of the test and 408 of RFC 9110. */
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { createAuthority, issueServerCertificate } from '../src/certificate/authority.ts';
import { toServerNames } from '../src/certificate/server-names.ts';
import type { HttpAnswer } from '../src/listener/http-call.ts';
import { startHttpsServer } from '../src/listener/https-server.ts';

const bounds = {
  handshakeTimeout: 100,
  headersTimeout: 100,
  requestTimeout: 150,
  keepAliveTimeout: 100,
  streamIdleTimeout: 100,
  connectionsCheckingInterval: 20,
};

async function slowFixture(): Promise<
  AsyncDisposable & { readonly port: number; readonly open: () => Promise<Socket> }
> {
  const authority = createAuthority(Date.now());
  const answer = (status: number): HttpAnswer => ({ status, headers: [], body: 'x' });
  const server = await startHttpsServer({
    bind: '127.0.0.1',
    port: 0,
    credentials: issueServerCertificate(authority, toServerNames([]), Date.now()),
    maxBodyBytes: 1000,
    handler: { handle: () => answer(200), refuseConnection: answer, refuseUpgrade: () => answer(400) },
    bounds,
  });
  const ca = authority.certificatePem;
  return {
    port: server.port,
    open: async () => {
      const socket = connect({ port: server.port, host: '127.0.0.1', servername: 'localhost', ca });
      await once(socket, 'secureConnect');
      return socket;
    },
    [Symbol.asyncDispose]: server.close,
  };
}

async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

test.each([
  ['headers', 'GET / HTTP/1.1\r\nhost: localhost\r\n'],
  ['a body', 'PUT / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n123'],
])('a client that never finishes %s gets a 408', async (_title, bytes) => {
  await using fixture = await slowFixture();
  const socket = await fixture.open();
  socket.write(bytes);
  expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 408 /);
});

test('a client that says nothing after its handshake is dropped', async () => {
  await using fixture = await slowFixture();
  expect(await readAll(await fixture.open())).toMatch(/^$|^HTTP\/1\.1 408 /);
});

test('a client that never shakes hands is dropped', async () => {
  await using fixture = await slowFixture();
  const socket = connectPlain(fixture.port, '127.0.0.1');
  expect(await readAll(socket)).toBe('');
});

test('a kept connection is dropped when no further request comes', async () => {
  await using fixture = await slowFixture();
  const socket = await fixture.open();
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\nx$/);
});
