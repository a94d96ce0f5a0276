/**
 * TLS with bounds for protocols that are not HTTP: connections in, {@link StreamHandler} asked. Knows nothing of what
 * it carries.
 */
import type { TLSSocket } from 'node:tls';
import { createServer } from 'node:tls';
import { createClientCertificateReader } from './client-certificates.ts';
import type { Listening, ListenOptions } from './listening.ts';
import { startListening, tlsOptions } from './listening.ts';
import type { StreamHandler } from './stream-handler.ts';
import { idleTimeoutMs } from './stream-handler.ts';

/** Where and how to listen. */
export interface TlsServerOptions extends ListenOptions {
  /** Default {@link defaultTlsBounds}. */
  readonly bounds?: TlsBounds;
}

/** Bounds on slow and silent clients, in milliseconds. */
export interface TlsBounds {
  /** For the TLS handshake. */
  readonly handshakeTimeout: number;
  /** Without a byte in either direction. */
  readonly idleTimeout: number;
}

/** Far above what a device on a bad line needs. */
export const defaultTlsBounds: TlsBounds = Object.freeze({
  handshakeTimeout: 10_000,
  idleTimeout: idleTimeoutMs,
});

/** A listening server. */
export interface TlsServer extends Listening {
  /** Puts a handler in place, which takes over every connection whose handshake is done from now on; before, they are dropped. */
  serve(handler: StreamHandler): void;
}

/** Starts listening. Rejects with `ERR_EMULATOR_LISTEN`. */
export async function startTlsServer(options: TlsServerOptions): Promise<TlsServer> {
  const { credentials, bounds = defaultTlsBounds } = options;
  // A port is open a moment before the emulator knows all its ports.
  let handler: StreamHandler = (stream) => stream.destroy();
  const { handshakeTimeout, idleTimeout } = bounds;
  const readClientCertificates = createClientCertificateReader();
  const server = createServer({ ...tlsOptions(credentials), handshakeTimeout }, (socket: TLSSocket) => {
    // A connection that breaks is that connection's affair; the protocol learns of it by `close`.
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    socket.setTimeout(idleTimeout, () => socket.destroy());
    const certificates = readClientCertificates(socket);
    handler(socket, certificates.length === 0 ? {} : { certificates });
  });
  // Also a handshake that takes too long, which would else go on.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const { port, close } = await startListening(server, options);
  return {
    port,
    serve: (next) => {
      handler = next;
    },
    close,
  };
}
