import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import { RemoteProtocolError } from '@endorse/interface';
import { fingerprintOf, publicKeyHashOf } from './fingerprint.ts';
import { connectError } from './transport-errors.ts';
import type { GatewayTrust } from './trust.ts';

/** Where a TLS connection goes and how much of its certificate TLS itself checks. */
export interface SocketTarget {
  /** Name or IP address; an IPv6 link-local address with its scope, `fe80::1%eth0`. */
  readonly host: string;
  readonly port: number;
  /** `host:port`, for messages. */
  readonly address: string;
  readonly trust: GatewayTrust;
}

/** A connection whose handshake is done and over which nothing was sent. */
export interface OpenSocket {
  readonly socket: TLSSocket;
  /** SHA-256 of the gateway's certificate, 64 hex digits. */
  readonly fingerprint: string;
  /** SHA-256 of the public key in it (SPKI), 64 hex digits. */
  readonly publicKeyHash: string;
}

/**
 * Opens a TLS connection; rejects with `TransportError`. The socket is handed to `track` at once, so that it can be
 * destroyed half-way.
 *
 * A pinned certificate is self-signed, so TLS is told to accept any, and the caller compares before it sends. Each
 * handshake is a full one: a resumed session has no certificate to compare.
 */
export async function openSocket(target: SocketTarget, track: (socket: Socket) => void): Promise<OpenSocket> {
  const { host, port, address, trust } = target;
  const serverName = trust.mode === 'ca' ? (trust.serverName ?? host) : host;
  const socket = connect({
    host,
    port,
    // An address must not be sent as a server name (RFC 6066 section 3), but is checked against the certificate.
    servername: isIP(serverName) === 0 ? serverName : '',
    ...(trust.mode === 'ca' ? { ca: typeof trust.ca === 'string' ? trust.ca : [...trust.ca] } : {}),
    // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED cannot turn the check off.
    rejectUnauthorized: trust.mode === 'ca',
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
  });
  let connected = false;
  socket.once('connect', () => {
    connected = true;
  });
  // Between our listeners and undici's there is a moment in which an error would be uncaught.
  socket.on('error', () => undefined);
  socket.setNoDelay(true);
  track(socket);
  await secured(socket, (cause) => connectError(address, cause, connected));
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    socket.destroy();
    throw new RemoteProtocolError('ERR_REMOTE_UNEXPECTED', `${address} shows no certificate`);
  }
  return {
    socket,
    fingerprint: fingerprintOf(certificate),
    publicKeyHash: publicKeyHashOf(certificate),
  };
}

function secured(socket: TLSSocket, toError: (cause: Error) => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    const release = (): void => {
      socket.off('secureConnect', onSecure).off('error', onError).off('close', onClose);
    };
    const onSecure = (): void => {
      release();
      resolve();
    };
    const onError = (cause: Error): void => {
      release();
      reject(toError(cause));
    };
    const onClose = (): void => {
      release();
      reject(toError(new Error('the connection was closed')));
    };
    socket.on('secureConnect', onSecure).on('error', onError).on('close', onClose);
  });
}
