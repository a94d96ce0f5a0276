import type { AddressInfo, Server, Socket } from 'node:net';
import type { Server as TlsServer, TlsOptions } from 'node:tls';
import type { ServerCredentials } from '../certificate/authority.ts';
import { EmulatorError } from '../emulator-error.ts';

/** Where to listen, and as whom. */
export interface ListenOptions {
  /** Address to bind. */
  readonly bind: string;
  /** 0 to let the system choose. */
  readonly port: number;
  readonly credentials: ServerCredentials;
  /** Asked for every connection: what to show it in the place of the credentials, if anything. */
  readonly substitute?: () => ServerCredentials | undefined;
}

/** A server that listens. */
export interface Listening {
  readonly port: number;
  /** Stops listening and drops every connection. */
  close(): Promise<void>;
}

/** What every listener of the emulator says in its TLS handshakes. */
export function tlsOptions({ certificatePem, privateKeyPem }: ServerCredentials): TlsOptions {
  return {
    cert: certificatePem,
    key: privateKeyPem,
    minVersion: 'TLSv1.2',
    // Asked for, not insisted on; what comes is judged by whom it is for. No CA of the system has a say in that.
    requestCert: true,
    rejectUnauthorized: false,
    ca: [],
  };
}

/** Makes a TLS or HTTPS server listen. Rejects with `ERR_EMULATOR_LISTEN`. */
export function startListening(server: TlsServer, options: ListenOptions): Promise<Listening> {
  if (options.substitute !== undefined) substituteCredentials(server, options, options.substitute);
  return startListeningPlain(server, options);
}

/** Makes any server listen, as it is. Rejects with `ERR_EMULATOR_LISTEN`. */
export function startListeningPlain(
  server: Server,
  options: Pick<ListenOptions, 'bind' | 'port'>,
): Promise<Listening> {
  server.maxConnections = maxConnections;
  const sockets = trackSockets(server);
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(options, cause)));
    server.listen(options.port, options.bind, () => {
      server.removeAllListeners('error');
      // Whatever goes wrong on one connection is that connection's affair.
      server.on('error', () => undefined);
      const { port } = server.address() as AddressInfo;
      resolve({ port, close: () => closeServer(server, sockets) });
    });
  });
}

const maxConnections = 10_000;

function substituteCredentials(
  server: TlsServer,
  { credentials }: ListenOptions,
  substitute: () => ServerCredentials | undefined,
): void {
  let shown = credentials;
  // Before the listener that begins the handshake, which takes the context of that moment.
  server.prependListener('connection', () => {
    const next = substitute() ?? credentials;
    if (next === shown) return;
    shown = next;
    const { cert, key, minVersion } = tlsOptions(next);
    // A context has ticket keys of its own: a session begun under another certificate cannot be resumed.
    server.setSecureContext({ cert, key, minVersion });
  });
}

/** Every TCP connection, also one that is still in its TLS handshake and unknown to the layers above. */
function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}

function listenError(
  { bind, port }: Pick<ListenOptions, 'bind' | 'port'>,
  cause: NodeJS.ErrnoException,
): EmulatorError {
  const remedies: Readonly<Record<string, string>> = {
    EADDRINUSE: 'Choose another port, or 0 to let the system choose.',
    EACCES: 'Choose a port from 1024 up, or allow this process to bind lower ones.',
    EADDRNOTAVAIL: 'Bind an address of this machine, such as 127.0.0.1.',
  };
  return new EmulatorError('ERR_EMULATOR_LISTEN', `cannot listen on ${bind} port ${port}: ${cause.message}`, {
    cause,
    remedy: remedies[cause.code ?? ''],
  });
}
