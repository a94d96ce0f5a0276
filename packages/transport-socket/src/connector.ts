/**
 * Opens the TLS connection of a session: directly, or through a CONNECT tunnel. To be loaded at the first request.
 *
 * It is our own because the connectors of undici, rhea and mqtt.js do not say whether name lookup, TCP, the proxy or
 * TLS failed, and cannot be stopped half-way.
 *
 * @packageDocumentation
 */
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { formatHostPort } from '@endorse/protocol';
import { connectError, proxyError, proxyStatusError, tlsError } from './connect-errors.ts';
import type { ProxySettings } from './proxy-settings.ts';

/** What a connection is made from. */
export interface ConnectorSettings {
  /** Host name or IP address; IPv6 without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  readonly proxy: ProxySettings | undefined;
  /** PEM; undefined for what Node.js trusts. */
  readonly ca: readonly string[] | undefined;
  readonly proxyCa: readonly string[] | undefined;
  /** PEM of the client certificate chain and its key. */
  readonly clientCertificate: { readonly cert: string; readonly key: string } | undefined;
  /** Protocols for ALPN, as `http/1.1`; none by default. */
  readonly alpnProtocols?: readonly string[];
}

/** Opens connections of one session. */
export interface Connector {
  /** Opens one; rejects with `TransportError`. Every socket made on the way is handed to `track` at once. */
  open(track: (socket: Socket) => void): Promise<TLSSocket>;
}

/** Prepares a connector; certificates are parsed here, once. */
export function createConnector(settings: ConnectorSettings): Connector {
  const { host, port, proxy } = settings;
  const target = formatHostPort({ host, port });
  const context = secureContext(settings.ca, target, settings.clientCertificate);
  return {
    async open(track) {
      const lower = proxy === undefined ? undefined : await openTunnel(proxy, settings, target, track);
      const { alpnProtocols = [] } = settings;
      return openTls({ host, port, context, lower, alpnProtocols, track }, (cause, connected) =>
        connected ? tlsError(target, cause) : connectError(target, cause),
      );
    },
  };
}

/** An answer header of a proxy above this is no CONNECT answer. */
const maxProxyHeaderBytes = 16_384;

async function openTunnel(
  proxy: ProxySettings,
  settings: ConnectorSettings,
  target: string,
  track: (socket: Socket) => void,
): Promise<Socket> {
  const { host, port } = proxy;
  const address = formatHostPort({ host, port });
  const toError = (cause: Error): Error => proxyError(address, cause);
  let socket: Socket;
  if (proxy.protocol === 'https:') {
    const context = secureContext(settings.proxyCa, address);
    const alpnProtocols = ['http/1.1'];
    socket = await openTls({ host, port, context, lower: undefined, alpnProtocols, track }, toError);
  } else {
    socket = prepare(connectTcp({ host, port }), track);
    await once(socket, 'connect', toError);
  }
  const authorization =
    proxy.authorization === undefined ? '' : `Proxy-Authorization: ${proxy.authorization.revealText()}\r\n`;
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${authorization}\r\n`);
  const header = await readProxyHeader(socket, address);
  const status = /^HTTP\/1\.[01] (\d{3})(?: |\r)/.exec(header)?.[1];
  if (status === undefined) throw proxyError(address, new Error('the answer is not HTTP'));
  if (!status.startsWith('2')) {
    socket.destroy();
    throw proxyStatusError(address, target, Number(status));
  }
  return socket;
}

/** Reads up to the empty line and leaves what follows on the socket. */
async function readProxyHeader(socket: Socket, address: string): Promise<string> {
  let received = Buffer.alloc(0);
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) {
      await once(socket, 'readable', (cause) => proxyError(address, cause));
      continue;
    }
    received = Buffer.concat([received, chunk]);
    const end = received.indexOf('\r\n\r\n');
    if (end >= 0) {
      if (received.length > end + 4) socket.unshift(received.subarray(end + 4));
      return received.subarray(0, end + 2).toString('latin1');
    }
    if (received.length > maxProxyHeaderBytes) {
      socket.destroy();
      throw proxyError(address, new Error(`the answer header exceeds ${maxProxyHeaderBytes} bytes`));
    }
  }
}

async function openTls(
  parts: {
    readonly host: string;
    readonly port: number;
    readonly context: SecureContext;
    readonly lower: Socket | undefined;
    readonly alpnProtocols: readonly string[];
    readonly track: (socket: Socket) => void;
  },
  toError: (cause: Error, connected: boolean) => Error,
): Promise<TLSSocket> {
  const { host, port, context, lower, alpnProtocols, track } = parts;
  const socket = connectTls({
    host,
    ...(lower === undefined ? { port } : { socket: lower }),
    // An IP address is checked against the certificate but must not be sent as a server name (RFC 6066 section 3).
    servername: isIP(host) === 0 ? host.replace(/\.$/, '') : '',
    secureContext: context,
    ...(alpnProtocols.length === 0 ? {} : { ALPNProtocols: [...alpnProtocols] }),
    // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED cannot turn the check off.
    rejectUnauthorized: true,
  });
  let connected = lower !== undefined;
  socket.once('connect', () => {
    connected = true;
  });
  prepare(socket, track);
  await once(socket, 'secureConnect', (cause) => toError(cause, connected));
  return socket;
}

/** Contexts by the list they were made from, so that sessions of one transport parse its certificates once. */
const contexts = new WeakMap<readonly string[], SecureContext>();

/** OpenSSL refuses here what its security level forbids, for example a client certificate with a short key. */
function secureContext(
  ca: readonly string[] | undefined,
  address: string,
  clientCertificate?: ConnectorSettings['clientCertificate'],
): SecureContext {
  // A context with a client certificate belongs to one session and must not reach another.
  const shared = clientCertificate === undefined && ca !== undefined;
  const known = shared ? contexts.get(ca) : undefined;
  if (known !== undefined) return known;
  try {
    const anchors = ca === undefined ? {} : { ca: [...ca] };
    const context = createSecureContext({ ...anchors, ...clientCertificate, minVersion: 'TLSv1.2' });
    if (shared) contexts.set(ca, context);
    return context;
  } catch (cause) {
    throw tlsError(address, cause as Error);
  }
}

function prepare<Kind extends Socket>(socket: Kind, track: (socket: Socket) => void): Kind {
  track(socket);
  // Between our listeners and those of the carrier there is a moment in which an error would be uncaught.
  socket.on('error', () => undefined);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 60_000);
  return socket;
}

/** Waits for an event, or rejects with what `toError` makes of the error that came first. */
function once(
  socket: Socket,
  event: 'connect' | 'secureConnect' | 'readable',
  toError: (cause: Error) => Error,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const release = (): void => {
      socket.off(event, onEvent).off('error', onError).off('end', onEnd).off('close', onEnd);
    };
    const onEvent = (): void => {
      release();
      resolve();
    };
    const onError = (cause: Error): void => {
      release();
      reject(toError(cause));
    };
    const onEnd = (): void => {
      release();
      reject(toError(new Error('the connection was closed')));
    };
    socket.on(event, onEvent).on('error', onError).on('end', onEnd).on('close', onEnd);
  });
}
