/**
 * HTTPS with bounds: bytes in, {@link HttpHandler} asked, bytes out. Knows nothing of what it carries.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { ServerCredentials } from '../certificate/authority.ts';
import { EmulatorError } from '../emulator-error.ts';
import { createClientCertificateReader } from './client-certificates.ts';
import type { HttpAnswer, HttpHandler } from './http-call.ts';

/** Where and how to listen. */
export interface HttpsServerOptions {
  /** Address to bind. */
  readonly bind: string;
  /** 0 to let the system choose. */
  readonly port: number;
  readonly credentials: ServerCredentials;
  /** Largest body handed to the handler. */
  readonly maxBodyBytes: number;
  /** Answers until {@link HttpsServer.serve} is called. */
  readonly handler: HttpHandler;
  /** Default {@link defaultBounds}. */
  readonly bounds?: ConnectionBounds;
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
  /** How often the two request bounds are checked. */
  readonly connectionsCheckingInterval: number;
}

/** All far above what a device on a bad line needs. */
export const defaultBounds: ConnectionBounds = Object.freeze({
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
});

/** A listening server. */
export interface HttpsServer {
  readonly port: number;
  /** Puts another handler in place, from the next request on. */
  serve(handler: HttpHandler): void;
  /** Stops listening and drops every connection. */
  close(): Promise<void>;
}

/** Starts listening. Rejects with `ERR_EMULATOR_LISTEN`. */
export function startHttpsServer(options: HttpsServerOptions): Promise<HttpsServer> {
  let { handler } = options;
  const bounds = options.bounds ?? defaultBounds;
  const server = createServer({
    cert: options.credentials.certificatePem,
    key: options.credentials.privateKeyPem,
    minVersion: 'TLSv1.2',
    // Asked for, not insisted on; what comes is judged by whom it is for. No CA of the system has a say in that.
    requestCert: true,
    rejectUnauthorized: false,
    ca: [],
    ...bounds,
  });
  // A client that stops reading its answer is idle, too.
  server.timeout = 2 * bounds.keepAliveTimeout;
  server.maxConnections = 10_000;
  const sockets = trackSockets(server);
  const readClientCertificates = createClientCertificateReader();
  server.on('request', (request, response) => {
    readBody(request, options.maxBodyBytes, (body) => {
      const { method = '', url: target = '', headers } = request;
      const certificates = readClientCertificates(request.socket as TLSSocket);
      const call = { method, target, headers, body, ...(certificates.length === 0 ? {} : { certificates }) };
      send(response, handler.handle(call), !request.complete);
    });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const status = statusOf(error);
    if (status === undefined || !socket.writable) socket.destroy();
    else refuseConnection(socket, handler.refuseConnection(status));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(options, cause)));
    server.listen(options.port, options.bind, () => {
      server.removeAllListeners('error');
      // Whatever goes wrong on one connection is that connection's affair.
      server.on('error', () => undefined);
      resolve({
        port: (server.address() as AddressInfo).port,
        serve: (next) => {
          handler = next;
        },
        close: () => closeServer(server, sockets),
      });
    });
  });
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

function send(response: ServerResponse, answer: HttpAnswer, closeAfter: boolean): void {
  const { status, headers, body } = answer;
  const fields = [...headers, ...lengthHeader(answer)];
  if (closeAfter) fields.push('connection', 'close');
  response.writeHead(status, fields);
  response.end(body);
}

/** Answers on a connection whose bytes cannot be parsed, then closes it. */
function refuseConnection(socket: Duplex, answer: HttpAnswer): void {
  const fields = [...answer.headers, ...lengthHeader(answer), 'connection', 'close'];
  const lines = fields.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${fields[index + 1] ?? ''}`] : [],
  );
  const statusLine = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`;
  socket.end(`${[statusLine, ...lines].join('\r\n')}\r\n\r\n${answer.body}`, () => socket.destroy());
}

function lengthHeader({ status, body }: HttpAnswer): readonly string[] {
  return status === 204 ? [] : ['content-length', String(Buffer.byteLength(body))];
}

/** The status for a broken request; undefined for trouble below HTTP, such as a failed TLS handshake. */
function statusOf({ code = '' }: NodeJS.ErrnoException): 400 | 408 | 431 | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return code.startsWith('HPE_') ? 400 : undefined;
}

/** Every TCP connection, also one that is still in its TLS handshake and unknown to the HTTP layer. */
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

function listenError({ bind, port }: HttpsServerOptions, cause: NodeJS.ErrnoException): EmulatorError {
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
