/** TLS and WebSockets against servers of Node.js and of `ws`; what goes wrong is made to go wrong. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createTestAuthority } from '@endorse/testkit';
import type { SocketSet } from '@endorse/transport-socket';
import { createSocketSet } from '@endorse/transport-socket';
import { createConnector } from '@endorse/transport-socket/connector';
import type { WebSocketOptions } from '@endorse/transport-socket/web-socket';
import { openWebSocket } from '@endorse/transport-socket/web-socket';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

interface Fixture extends AsyncDisposable {
  readonly sockets: SocketSet;
  readonly open: (options?: Partial<WebSocketOptions>) => Promise<Duplex>;
}

async function startServer(handlers: {
  readonly upgrade?: Upgrade;
  readonly request?: (request: IncomingMessage, response: ServerResponse) => void;
}): Promise<Fixture> {
  const authority = createTestAuthority();
  const { certificatePem: cert, privateKeyPem: key } = authority.issue({ names: ['localhost'] });
  const server = createServer({ cert, key }, handlers.request);
  if (handlers.upgrade !== undefined) server.on('upgrade', handlers.upgrade);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets = createSocketSet();
  const settings = {
    host: 'localhost',
    port,
    proxy: undefined,
    proxyCa: undefined,
    clientCertificate: undefined,
  };
  return {
    sockets,
    open: async (options = {}) => {
      const connector = createConnector({
        ...settings,
        ca: [authority.certificatePem],
        alpnProtocols: ['http/1.1'],
      });
      const socket = await connector.open(sockets.add);
      const defaults = {
        path: '/$iothub/websocket',
        protocol: 'mqtt',
        userAgent: 'test',
        maxMessageBytes: 1024,
      };
      return openWebSocket(socket, { host: 'localhost', port, ...defaults, ...options });
    },
    [Symbol.asyncDispose]: async () => {
      sockets.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Upgrades everything and sends every message back. */
function echo(seen: IncomingMessage[]): Upgrade {
  const server = new WebSocketServer({ noServer: true, handleProtocols: ([first = '']) => first });
  return (request, socket, head) => {
    seen.push(request);
    server.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (data) => webSocket.send(data));
    });
  };
}

test('bytes go and come back, and the upgrade says what it should', async () => {
  const seen: IncomingMessage[] = [];
  await using fixture = await startServer({ upgrade: echo(seen) });
  const stream = await fixture.open();
  stream.write(Uint8Array.of(1, 2, 3));
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  expect([...chunk]).toEqual([1, 2, 3]);
  expect(seen[0]).toMatchObject({
    url: '/$iothub/websocket',
    headers: { 'sec-websocket-protocol': 'mqtt', 'user-agent': 'test' },
  });
  expect(seen[0]?.headers).not.toHaveProperty('sec-websocket-extensions');
  stream.end();
  await once(stream, 'close');
  await fixture.sockets.close();
});

test('a connection that is lost closes the stream', async () => {
  const server = new WebSocketServer({ noServer: true });
  const upgrade: Upgrade = (request, socket, head) => {
    server.handleUpgrade(request, socket, head, () => socket.destroy());
  };
  await using fixture = await startServer({ upgrade });
  const stream = await fixture.open();
  stream.resume();
  await once(stream, 'close');
});

test('a message beyond the limit ends the stream', async () => {
  await using fixture = await startServer({ upgrade: echo([]) });
  const stream = await fixture.open();
  stream.resume();
  stream.write(new Uint8Array(1025));
  await expect(once(stream, 'close')).rejects.toThrow(/max payload/i);
});

test.each([
  [403, false],
  [429, true],
  [503, true],
])('status %i in the place of an upgrade is refused', async (status, retryable) => {
  await using fixture = await startServer({
    request: (_request, response) => response.writeHead(status).end('no'),
    upgrade: (_request, socket) => socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`),
  });
  await expect(fixture.open()).rejects.toMatchObject({
    code: 'ERR_TRANSPORT_CONNECT',
    retryable,
    message: expect.stringContaining(`status ${status}`) as string,
  });
});

test('another sub-protocol is refused', async () => {
  const server = new WebSocketServer({ noServer: true, handleProtocols: () => false });
  const upgrade: Upgrade = (request, socket, head) => {
    server.handleUpgrade(request, socket, head, () => undefined);
  };
  await using fixture = await startServer({ upgrade });
  await expect(fixture.open()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CONNECT', retryable: false });
});

test('a connection that ends before the upgrade was lost', async () => {
  await using fixture = await startServer({ upgrade: (_request, socket) => void socket.destroy() });
  await expect(fixture.open()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_LOST', retryable: true });
});

test('what is opened can be taken down before the server has answered', async () => {
  await using fixture = await startServer({ upgrade: () => fixture.sockets.destroy() });
  await expect(fixture.open()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_LOST' });
});
