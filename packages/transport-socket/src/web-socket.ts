/**
 * A WebSocket on a TLS connection that is there already, as a stream of bytes (RFC 6455). Needs `ws`, which transports
 * with WebSockets bring along: those without need not install it.
 *
 * @packageDocumentation
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { TransportError } from '@endorse/interface';
import { formatHostPort } from '@endorse/protocol';

/** What a WebSocket is opened with. */
export interface WebSocketOptions {
  /** Host name or IP address for the `Host` header; IPv6 without brackets. */
  readonly host: string;
  /** For the `Host` header, 1 to 65535. */
  readonly port: number;
  /** Path and query, for example `/$iothub/websocket`. */
  readonly path: string;
  /** The sub-protocol, for example `AMQPWSB10`; the server has to take it. */
  readonly protocol: string;
  /** Value of `user-agent`. */
  readonly userAgent: string;
  /** Largest message taken in, in bytes. */
  readonly maxMessageBytes: number;
}

/**
 * Opens a WebSocket on a connection and resolves to its bytes, without message boundaries. Takes as long as the
 * connection lives: destroying that ends it at any point.
 *
 * Rejects with `ERR_TRANSPORT_CONNECT` when the server answers with anything but an upgrade to the sub-protocol, and
 * with `ERR_TRANSPORT_LOST` when the connection ends before.
 */
export async function openWebSocket(socket: TLSSocket, options: WebSocketOptions): Promise<Duplex> {
  const { WebSocket, createWebSocketStream } = await import('ws');
  const { host, port, path, protocol, userAgent, maxMessageBytes } = options;
  const address = formatHostPort({ host, port }, { defaultPort: 443 });
  const webSocket = new WebSocket(`wss://${address}${path}`, protocol, {
    createConnection: () => socket,
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: maxMessageBytes,
    headers: { 'user-agent': userAgent },
  });
  await new Promise<void>((resolve, reject) => {
    webSocket.once('open', resolve);
    webSocket.once('unexpected-response', (_request, response: IncomingMessage) => {
      reject(refused(address, response.statusCode ?? 0));
      socket.destroy();
    });
    webSocket.once('error', (cause) => {
      reject(failed(address, cause));
      socket.destroy();
    });
  });
  // Errors of the stream come with its end, which is what its user looks at.
  const stream = createWebSocketStream(webSocket);
  stream.on('error', () => undefined);
  // When the connection is lost, ws ends the readable half only, and the stream would never close.
  webSocket.once('close', () => {
    if (stream.readableEnded) stream.destroy();
    else stream.once('end', () => stream.destroy());
  });
  return stream;
}

function refused(address: string, status: number): TransportError {
  return new TransportError(
    'ERR_TRANSPORT_CONNECT',
    `${address} refused the WebSocket with status ${status}`,
    {
      phase: 'connect',
      retryable: status === 429 || (status >= 500 && status !== 501 && status !== 505),
      remedy: 'Check that the host is the provisioning service and not a captive portal or proxy.',
    },
  );
}

function failed(address: string, cause: Error): TransportError {
  const { code = '' } = cause as NodeJS.ErrnoException;
  const isLost = ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED'].includes(code);
  return isLost || /closed before|hang up/.test(cause.message)
    ? new TransportError(
        'ERR_TRANSPORT_LOST',
        `the connection to ${address} was lost before the WebSocket was open`,
        {
          cause,
          phase: 'connect',
          retryable: true,
        },
      )
    : new TransportError('ERR_TRANSPORT_CONNECT', `${address} speaks no WebSocket: ${cause.message}`, {
        cause,
        phase: 'connect',
        retryable: false,
        remedy: 'Check that the port belongs to the service.',
      });
}
