/**
 * HTTPS with bounds: bytes in, {@link HttpHandler} asked, bytes out. Knows nothing of what it carries.
 */
import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { createClientCertificateReader } from './client-certificates.ts';
import type { FirstBytesEndpoint } from './first-bytes.ts';
import { tellByFirstBytes } from './first-bytes.ts';
import type { HttpAnswer, HttpHandler } from './http-call.ts';
import type { Listening, ListenOptions } from './listening.ts';
import { startListening, tlsOptions } from './listening.ts';
import { lengthHeader, sendAnswer } from './send-answer.ts';
import type { ConnectionInfo } from './stream-handler.ts';
import { idleTimeoutMs } from './stream-handler.ts';
import type { WebSocketEndpoint } from './websockets.ts';
import { createWebSocketUpgrader } from './websockets.ts';

/** Where and how to listen. */
export interface HttpsServerOptions extends ListenOptions {
  /** Largest body handed to the handler. */
  readonly maxBodyBytes: number;
  /** Answers until {@link HttpsServer.serve} is called. */
  readonly handler: HttpHandler;
  /** Default {@link defaultBounds}. */
  readonly bounds?: ConnectionBounds;
  /** For answers that are to leave late; default the system's. */
  readonly sleep?: Clock['sleep'];
}

/** Bounds on slow and idle clients, in milliseconds. */
export interface ConnectionBounds {
  /** For the TLS handshake. */
  readonly handshakeTimeout: number;
  /** From the first byte of a request to the end of its headers; also from connecting to the first byte. */
  readonly headersTimeout: number;
  /** From the first byte of a request to its last. */
  readonly requestTimeout: number;
  /** Between two requests. */
  readonly keepAliveTimeout: number;
  /** Without a byte of a protocol that is not HTTP, in either direction. */
  readonly streamIdleTimeout: number;
  /** How often the two request bounds are checked. */
  readonly connectionsCheckingInterval: number;
}

/** All far above what a device on a bad line needs. */
export const defaultBounds: ConnectionBounds = Object.freeze({
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 30_000,
  streamIdleTimeout: idleTimeoutMs,
  connectionsCheckingInterval: 2_000,
});

/** A listening server. */
export interface HttpsServer extends Listening {
  /** Puts another handler in place, from the next request on. */
  serve(handler: HttpHandler): void;
  /** Replaces what is served over WebSockets; nothing at first. */
  serveWebSockets(endpoints: readonly WebSocketEndpoint[]): void;
  /** Replaces what is served beside HTTP on the same port; nothing at first. */
  serveStreams(endpoints: readonly FirstBytesEndpoint[]): void;
}

/** Starts listening. Rejects with `ERR_EMULATOR_LISTEN`. */
export async function startHttpsServer(options: HttpsServerOptions): Promise<HttpsServer> {
  let { handler } = options;
  const { bounds = defaultBounds, sleep = systemClock.sleep } = options;
  const server = createServer({
    ...tlsOptions(options.credentials),
    ...bounds,
    // Anything else that a client would rather speak, such as h2c, may be ignored (RFC 9110 section 7.8).
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  });
  // A client that stops reading its answer is idle, too.
  server.timeout = 2 * bounds.keepAliveTimeout;
  const readClientCertificates = createClientCertificateReader();
  const readInfo = (socket: TLSSocket): ConnectionInfo => {
    const certificates = readClientCertificates(socket);
    return certificates.length === 0 ? {} : { certificates };
  };
  server.on('request', (request, response) => {
    readBody(request, options.maxBodyBytes, (body) => {
      const { method = '', url: target = '', headers } = request;
      const call = { method, target, headers, body, ...readInfo(request.socket as TLSSocket) };
      sendAnswer(response, handler.handle(call), !request.complete, sleep);
    });
  });
  const upgrader = createWebSocketUpgrader(bounds.streamIdleTimeout);
  server.on('upgrade', (request, socket, head) => {
    // HTTP has let go of the socket, and with it of its errors.
    socket.on('error', () => undefined);
    const tlsSocket = socket as TLSSocket;
    upgrader.upgrade({ request, socket: tlsSocket, head, info: readInfo(tlsSocket) }, (reason) =>
      refuseConnection(socket, handler.refuseUpgrade(reason)),
    );
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const status = statusOf(error);
    if (status === undefined || !socket.writable) socket.destroy();
    else refuseConnection(socket, handler.refuseConnection(status));
  });
  let streams: readonly FirstBytesEndpoint[] = [];
  const serveHttp = takeSecureConnections(server, (socket) => {
    if (streams.length === 0) {
      serveHttp(socket);
      return;
    }
    // Until HTTP has it, its errors are nobody's.
    socket.on('error', () => undefined);
    tellByFirstBytes(socket, streams, bounds.headersTimeout, {
      fits: ({ accept }) => {
        socket.setNoDelay(true);
        socket.setTimeout(bounds.streamIdleTimeout, () => socket.destroy());
        accept(socket, readInfo(socket));
      },
      otherwise: () => serveHttp(socket),
      silent: () => refuseConnection(socket, handler.refuseConnection(408)),
    });
  });
  const { port, close } = await startListening(server, options);
  return {
    port,
    serve: (next) => {
      handler = next;
    },
    serveWebSockets: (endpoints) => upgrader.serve(endpoints),
    serveStreams: (endpoints) => {
      streams = endpoints;
    },
    close,
  };
}

/** Puts `onConnection` in front of the HTTP parser, and returns that, to be called for connections that are HTTP. */
function takeSecureConnections(
  server: Server,
  onConnection: (socket: TLSSocket) => void,
): (socket: TLSSocket) => void {
  const parsers = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[];
  server.removeAllListeners('secureConnection').on('secureConnection', onConnection);
  return (socket) => {
    for (const parse of parsers) parse.call(server, socket);
  };
}

/**
 * Collects a body up to the limit. The rest of a larger one is dropped as it comes, because closing
 * on a client that still sends would cost it the answer, unless it is beyond all measure.
 */
function readBody(
  request: IncomingMessage,
  maxBytes: number,
  onBody: (body: Uint8Array | undefined) => void,
): void {
  let chunks: Buffer[] = [];
  let byteLength = 0;
  const onData = (chunk: Buffer): void => {
    byteLength += chunk.byteLength;
    if (byteLength <= maxBytes) {
      chunks.push(chunk);
      return;
    }
    chunks = [];
    if (byteLength <= maxDroppedBytes) return;
    request.off('data', onData).off('end', onEnd).pause();
    onBody(undefined);
  };
  const onEnd = (): void => {
    const [first = empty] = chunks;
    if (byteLength > maxBytes) onBody(undefined);
    else onBody(chunks.length > 1 ? Buffer.concat(chunks, byteLength) : first);
  };
  request.on('data', onData).on('end', onEnd);
}

/** How much of an oversized body is read only to be polite. */
const maxDroppedBytes = 8_388_608;
const empty = Buffer.alloc(0);

/** Answers on a connection that HTTP has let go of, then closes it. */
function refuseConnection(socket: Duplex, answer: HttpAnswer): void {
  const fields = [...answer.headers, ...lengthHeader(answer), 'connection', 'close'];
  const lines = fields.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${fields[index + 1] ?? ''}`] : [],
  );
  const statusLine = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`;
  socket.end(`${[statusLine, ...lines].join('\r\n')}\r\n\r\n${answer.body}`, () => socket.destroy());
}

/** The status for a broken request; undefined for trouble below HTTP, such as a failed TLS handshake. */
function statusOf({ code = '' }: NodeJS.ErrnoException): 400 | 408 | 431 | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return code.startsWith('HPE_') ? 400 : undefined;
}
