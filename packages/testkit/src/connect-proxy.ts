import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TestAuthority } from './certificates.ts';

/** A hand-made proxy for CONNECT, RFC 9110 section 9.3.6. */
export interface ConnectProxy extends AsyncDisposable {
  readonly port: number;
  /** Header of every CONNECT, in order. */
  readonly requests: readonly string[];
  /** How many connections to the proxy are open. */
  readonly open: number;
}

/** How a proxy behaves. */
export interface ConnectProxyOptions {
  /** Speaks TLS, as `localhost`, with a certificate of this authority. */
  readonly authority?: TestAuthority;
  /** What to do instead of opening the tunnel. */
  readonly answer?: (socket: Socket, header: string) => void;
}

/** Starts a proxy on a free port of the loopback; it opens every tunnel unless told otherwise. */
export async function startConnectProxy({
  authority,
  answer = openTunnel,
}: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes: Buffer) => {
      const header = bytes.toString('latin1');
      requests.push(header);
      answer(socket, header);
    });
  };
  const leaf = authority?.issue({ names: ['localhost'] });
  const server =
    leaf === undefined
      ? createTcpServer(serve)
      : createTlsServer({ cert: leaf.certificatePem, key: leaf.privateKeyPem }, serve);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    get open() {
      return sockets.size;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

function openTunnel(socket: Socket, header: string): void {
  const [, host = '', port = ''] = /^CONNECT \[?([^\s\]]+)\]?:(\d+) HTTP\/1\.1/.exec(header) ?? [];
  const upstream = connect({ host, port: Number(port) }, () => {
    socket.write('HTTP/1.1 200 Connection established\r\nProxy-Agent: test\r\n\r\n');
    socket.pipe(upstream).pipe(socket);
  });
  upstream.on('error', () => socket.destroy());
  socket.on('close', () => upstream.destroy());
}
