/** Connections of protocols that are not HTTP, over TLS and over WebSockets. Oracle: the client of `ws`, RFC 6455. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { connect as connectPlain } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createAuthority, issueServerCertificate } from '../src/certificate/authority.ts';
import { toServerNames } from '../src/certificate/server-names.ts';
import { startEmulator } from '../src/index.ts';
import { firstBytes } from '../src/listener/first-bytes.ts';
import type { HttpAnswer } from '../src/listener/http-call.ts';
import { defaultBounds, startHttpsServer } from '../src/listener/https-server.ts';
import type { ConnectionInfo, StreamHandler } from '../src/listener/stream-handler.ts';
import { startTlsServer } from '../src/listener/tls-server.ts';

const authority = createAuthority(Date.now());
const credentials = issueServerCertificate(authority, toServerNames([]), Date.now());
const ca = authority.certificatePem;
const clientTls = { cert: credentials.certificatePem, key: credentials.privateKeyPem };
const where = { bind: '127.0.0.1', port: 0, credentials };

interface Accepted {
  readonly name: string;
  readonly stream: Duplex;
  readonly info: ConnectionInfo;
}

/** An echo that remembers whom it took in. */
function echo(name: string, accepted: Accepted[]): StreamHandler {
  return (stream, info) => {
    accepted.push({ name, stream, info });
    stream.on('data', (chunk: Buffer) => stream.write(chunk));
    stream.on('end', () => stream.end());
  };
}

async function httpsFixture(
  bounds = defaultBounds,
): Promise<AsyncDisposable & { readonly url: string; readonly port: number; readonly accepted: Accepted[] }> {
  const accepted: Accepted[] = [];
  const answer = (status: number, body = 'x'): HttpAnswer => ({ status, headers: [], body });
  const server = await startHttpsServer({
    ...where,
    maxBodyBytes: 1000,
    handler: {
      handle: () => answer(200),
      refuseConnection: answer,
      refuseUpgrade: (reason) => answer(400, reason),
    },
    bounds,
  });
  server.serveWebSockets([
    { protocols: ['AMQPWSB10', 'amqp'], accept: echo('amqp', accepted) },
    { protocols: ['mqtt', 'mqttv3.1'], accept: echo('mqtt', accepted) },
  ]);
  server.serveStreams([
    { firstBytes: firstBytes.amqp, accept: echo('amqp', accepted) },
    { firstBytes: firstBytes.mqtt, accept: echo('mqtt', accepted) },
  ]);
  return {
    url: `wss://localhost:${server.port}`,
    port: server.port,
    accepted,
    [Symbol.asyncDispose]: server.close,
  };
}

async function tlsFixture(
  bounds = { handshakeTimeout: 5_000, idleTimeout: 5_000 },
): Promise<AsyncDisposable & { readonly port: number; readonly accepted: Accepted[] }> {
  const accepted: Accepted[] = [];
  const server = await startTlsServer({ ...where, bounds });
  server.serve(echo('tls', accepted));
  return { port: server.port, accepted, [Symbol.asyncDispose]: server.close };
}

async function openTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** What an HTTP server answers to raw bytes. */
async function answerTo(port: number, request: string): Promise<string> {
  const socket = await openTls(port);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.write(request);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

test.each([
  ['AMQPWSB10', '/$iothub/websocket', 'amqp'],
  ['amqp', '/', 'amqp'],
  ['mqtt', '/$iothub/websocket?iothub-no-client-cert=true', 'mqtt'],
  ['MQTT', '/', 'mqtt'],
  ['mqttv3.1', '/mqtt', 'mqtt'],
  ['unknown, mqtt', '/', 'mqtt'],
])('a WebSocket of sub-protocol %s on %s is a stream of bytes', async (offered, path, name) => {
  await using fixture = await httpsFixture();
  const webSocket = new WebSocket(`${fixture.url}${path}`, offered.split(', '), { ca });
  await once(webSocket, 'open');
  // The client compares names exactly, so it has to be answered in its own spelling.
  expect(webSocket.protocol).toBe(offered.split(', ').at(-1));
  webSocket.send(Buffer.from('bytes'));
  expect(String((await once(webSocket, 'message'))[0])).toBe('bytes');
  expect(fixture.accepted).toMatchObject([{ name, info: {} }]);
  expect(fixture.accepted[0]?.info.certificates).toBeUndefined();
  webSocket.close();
  await once(webSocket, 'close');
});

test.each([
  [
    'an unknown',
    'sec-websocket-protocol: soap\r\n',
    'asked for soap, served AMQPWSB10, amqp, mqtt, mqttv3.1',
  ],
  ['no', '', 'asked for none'],
])('a WebSocket of %s sub-protocol is refused with 400 and what there is', async (_title, header, reason) => {
  await using fixture = await httpsFixture();
  const answer = await answerTo(
    fixture.port,
    'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
      `sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n${header}\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*connection: close/);
  expect(answer).toContain(reason);
  expect(fixture.accepted).toEqual([]);
});

test('a handshake that is none is refused with 400', async () => {
  await using fixture = await httpsFixture();
  const request =
    'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-protocol: mqtt\r\n\r\n';
  expect(await answerTo(fixture.port, request)).toMatch(/^HTTP\/1\.1 400 /);
  expect(fixture.accepted).toEqual([]);
});

test.each([
  ['amqp', [Buffer.from([...Buffer.from('AMQP'), 3, 1, 0, 0])]],
  ['amqp', [Buffer.from('A'), Buffer.from('MQ'), Buffer.from('P\x00\x01\x00\x00')]],
  ['mqtt', [Buffer.from([0x10, 12, 0, 4])]],
])('%s on the port of HTTP is told by its first bytes (%#)', async (name, chunks) => {
  await using fixture = await httpsFixture();
  const socket = await openTls(fixture.port, clientTls);
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  // One TLS record each, and the next one only once the one before is on its way.
  for (const chunk of chunks) await new Promise((resolve) => socket.write(chunk, resolve));
  const sent = Buffer.concat(chunks);
  while (Buffer.concat(received).length < sent.length) await once(socket, 'data');
  expect(Buffer.concat(received)).toEqual(sent);
  expect(fixture.accepted).toMatchObject([{ name }]);
  expect(fixture.accepted[0]?.info.certificates?.length).toBeGreaterThan(0);
  socket.destroy();
});

test('what begins otherwise is HTTP, whatever its method and however it is cut', async () => {
  await using fixture = await httpsFixture();
  const rest = ' / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n';
  expect(await answerTo(fixture.port, `ACL${rest}\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
  expect(await answerTo(fixture.port, `PUT${rest}content-length: 900\r\n\r\n${'x'.repeat(900)}`)).toMatch(
    /^HTTP\/1\.1 200 /,
  );
  expect(await answerTo(fixture.port, '\x00\x00')).toMatch(/^HTTP\/1\.1 400 /);
  expect(fixture.accepted).toEqual([]);
});

test.each(['', 'AM'])('a client that stops after %j gets a 408', async (beginning) => {
  await using fixture = await httpsFixture({ ...defaultBounds, headersTimeout: 50 });
  expect(await answerTo(fixture.port, beginning)).toMatch(/^HTTP\/1\.1 408 /);
});

test('an upgrade to something else than a WebSocket is ignored', async () => {
  await using fixture = await httpsFixture();
  const request = 'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade, close\r\nupgrade: h2c\r\n\r\n';
  expect(await answerTo(fixture.port, request)).toMatch(/^HTTP\/1\.1 200 [^]*x$/);
});

test('a message above 1 MiB ends its WebSocket with status 1009, and no other', async () => {
  await using fixture = await httpsFixture();
  const [greedy, modest] = ['mqtt', 'mqtt'].map((name) => new WebSocket(fixture.url, name, { ca }));
  if (greedy === undefined || modest === undefined) throw new Error('no WebSockets');
  await Promise.all([once(greedy, 'open'), once(modest, 'open')]);
  greedy.send(Buffer.alloc(1_048_577));
  expect((await once(greedy, 'close'))[0]).toBe(1009);
  modest.send('text is bytes, too');
  expect(String((await once(modest, 'message'))[0])).toBe('text is bytes, too');
  modest.terminate();
});

test('a silent WebSocket is dropped', async () => {
  await using fixture = await httpsFixture({ ...defaultBounds, streamIdleTimeout: 50 });
  const webSocket = new WebSocket(fixture.url, 'mqtt', { ca });
  await once(webSocket, 'open');
  const [taken] = fixture.accepted;
  await Promise.all([
    once(webSocket, 'close'),
    ...(taken === undefined ? [] : [once(taken.stream, 'close')]),
  ]);
  expect(taken?.stream.destroyed).toBe(true);
});

test('the client certificate of a WebSocket and of a TLS connection is known', async () => {
  await using https = await httpsFixture();
  await using tls = await tlsFixture();
  const webSocket = new WebSocket(https.url, 'mqtt', { ca, ...clientTls });
  await once(webSocket, 'open');
  const socket = await openTls(tls.port, clientTls);
  socket.write('bytes');
  expect(String((await once(socket, 'data'))[0])).toBe('bytes');
  for (const { info } of [...https.accepted, ...tls.accepted])
    expect(info.certificates?.length).toBeGreaterThan(0);
  webSocket.terminate();
  socket.destroy();
});

test('stopping drops every connection', async () => {
  const https = await httpsFixture();
  const tls = await tlsFixture();
  const webSocket = new WebSocket(https.url, 'mqtt', { ca });
  await once(webSocket, 'open');
  const socket = await openTls(tls.port);
  socket.on('error', () => undefined);
  const gone = Promise.all([once(webSocket, 'close'), once(socket, 'close')]);
  await Promise.all([https[Symbol.asyncDispose](), tls[Symbol.asyncDispose]()]);
  await gone;
});

test('a TLS client that never shakes hands, or falls silent, is dropped', async () => {
  await using fixture = await tlsFixture({ handshakeTimeout: 50, idleTimeout: 50 });
  const mute = connectPlain(fixture.port, '127.0.0.1');
  mute.on('error', () => undefined).resume();
  const silent = await openTls(fixture.port);
  silent.on('error', () => undefined).resume();
  await Promise.all([once(mute, 'close'), once(silent, 'close')]);
  expect(fixture.accepted).toHaveLength(1);
});

test('a port that is taken is an error with a remedy', async () => {
  await using fixture = await tlsFixture();
  await expect(startTlsServer({ ...where, port: fixture.port })).rejects.toMatchObject({
    code: 'ERR_EMULATOR_LISTEN',
    remedy: expect.stringContaining('port') as unknown,
  });
});

test('the service and the hub say of a WebSocket they do not serve what is wrong', async () => {
  await using emulator = await startEmulator();
  for (const { port } of [new URL(emulator.endpoints.service), new URL(emulator.endpoints.hub)]) {
    const webSocket = new WebSocket(`wss://localhost:${port}/`, 'soap', { ca: emulator.caPem });
    const error: unknown = await once(webSocket, 'open').catch((cause: unknown) => cause);
    expect(String(error)).toContain('400');
  }
});
