import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createServer as createTlsServer } from 'node:tls';
import { createServer as createTcpServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestAuthority, TestCertificate } from '@endorse/testkit';
import { createTestAuthority } from '@endorse/testkit';

/** A request as it came over the wire. */
export interface PeerRequest {
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Connections are numbered from 1. */
  readonly connection: number;
  readonly socket: TLSSocket;
}

/** A hand-made HTTPS server that does exactly what a test wants, wrong or right. */
export interface Peer extends AsyncDisposable {
  /** `localhost:port`. */
  readonly host: string;
  readonly port: number;
  /** Certificate of the authority that signed the server. */
  readonly ca: string;
  readonly authority: TestAuthority;
  readonly requests: readonly PeerRequest[];
  /** How many TLS connections there were. */
  readonly connections: number;
  /** How many TCP connections are open. */
  readonly open: number;
  /** Resolves once `condition` holds; looked at whenever something happens on the wire. */
  until(condition: () => boolean): Promise<void>;
}

export interface PeerOptions {
  /** Answers one request; `index` counts from 0 over all connections. Not called for what is not a whole request. */
  readonly answer?: (request: PeerRequest, index: number) => void;
  /** Called when a TLS connection is up. */
  readonly onSecure?: (socket: TLSSocket, connection: number) => void;
  /** Made from the authority; default for `localhost` and `127.0.0.1`. */
  readonly certificate?: (authority: TestAuthority) => TestCertificate;
  /** Asks for a client certificate of the same authority. */
  readonly requestClientCertificate?: boolean;
}

/** Starts a peer on a free port of the loopback. */
export async function startPeer(options: PeerOptions = {}): Promise<Peer> {
  const authority = createTestAuthority();
  const { certificatePem, privateKeyPem } = (
    options.certificate ?? ((issuer: TestAuthority) => issuer.issue({ names: ['localhost', '127.0.0.1'] }))
  )(authority);
  const requests: PeerRequest[] = [];
  const watchers = new Set<() => void>();
  const sockets = new Set<Socket>();
  let connections = 0;
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };

  const server = createTlsServer({
    cert: certificatePem,
    key: privateKeyPem,
    ca: authority.certificatePem,
    requestCert: options.requestClientCertificate ?? false,
    rejectUnauthorized: options.requestClientCertificate ?? false,
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      changed();
    });
    changed();
  });
  server.on('tlsClientError', changed);
  server.on('secureConnection', (socket: TLSSocket) => {
    connections += 1;
    const connection = connections;
    socket.on('error', () => undefined);
    changed();
    options.onSecure?.(socket, connection);
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (let parsed = parse(received); parsed !== undefined; parsed = parse(received)) {
        received = parsed.rest;
        const request = { ...parsed.request, connection, socket };
        requests.push(request);
        changed();
        options.answer?.(request, requests.length - 1);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    host: `localhost:${port}`,
    port,
    ca: authority.certificatePem,
    authority,
    requests,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    until: (condition) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!condition()) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A TCP server without TLS that hands every connection to `serve`. */
export async function startTcpPeer(
  serve: (socket: Socket) => void,
): Promise<AsyncDisposable & { readonly port: number; readonly sockets: ReadonlySet<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Writes a whole JSON answer. */
export function reply(
  { socket }: Pick<PeerRequest, 'socket'>,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const all = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(text)),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} Something\r\n${lines.join('')}\r\n${text}`);
}

interface Parsed {
  readonly request: Omit<PeerRequest, 'connection' | 'socket'>;
  readonly rest: Buffer<ArrayBuffer>;
}

function parse(received: Buffer<ArrayBuffer>): Parsed | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...fields] = received.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  const bodyEnd = end + 4 + Number(headers['content-length'] ?? 0);
  if (received.length < bodyEnd) return undefined;
  return {
    request: { line, headers, body: received.subarray(end + 4, bodyEnd).toString('utf8') },
    rest: received.subarray(bodyEnd),
  };
}
