import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createServer as createTlsServer } from 'node:tls';
import { createTestAuthority } from './certificates.ts';

/** A hand-made TLS server that does exactly what a test wants; silent unless told otherwise. */
export interface TlsPeer extends AsyncDisposable {
  /** `localhost:port`. */
  readonly host: string;
  /** Certificate of the authority that signed the server. */
  readonly ca: string;
  /** How many TLS connections there were. */
  readonly connections: number;
  /** How many TCP connections are open. */
  readonly open: number;
}

/** Starts a peer on a free port of the loopback; `onSecure` is called for every connection, counted from 1. */
export async function startTlsPeer(
  onSecure: (socket: TLSSocket, connection: number) => void = (socket) => void socket.resume(),
): Promise<TlsPeer> {
  const authority = createTestAuthority();
  const { certificatePem, privateKeyPem } = authority.issue({ names: ['localhost', '127.0.0.1'] });
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createTlsServer({ cert: certificatePem, key: privateKeyPem }, (socket) => {
    connections += 1;
    socket.on('error', () => undefined);
    onSecure(socket, connections);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let stopped: Promise<unknown> | undefined;
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    ca: authority.certificatePem,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      stopped ??= once(server.close(), 'close');
      await stopped;
    },
  };
}

/** A port nobody listens on: it was free a moment ago. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}
