import type { Socket } from 'node:net';
import { LocalProtocolError, RemoteProtocolError, TimeoutError, TransportError } from '@endorse/interface';
import type { HttpResponse } from '@endorse/protocol';
import { maxPageBytes, parseHostPort } from '@endorse/protocol';
import { createSocketSet } from '@endorse/transport-socket';
import type { Dispatcher } from 'undici';
import type { UndiciParts } from './load-undici.ts';
import { loadUndici } from './load-undici.ts';
import type { EnrollmentClientSettings } from './options.ts';

/** A request of the service API, complete. Its headers hold a token: do not log them. */
export interface ServiceHttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Path and query. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; absent without a body. */
  readonly body?: string;
}

/** The connections of one client; undici is loaded at the first request. */
export interface HttpExchange {
  /**
   * Sends one request and collects its answer, once. Rejects with the reason of `signal`, `ERR_TIMEOUT`,
   * `ERR_REMOTE_TOO_LARGE`, `ERR_REMOTE_MALFORMED`, `ERR_SESSION_CLOSED` after {@link HttpExchange.close}, or a
   * `TransportError`.
   */
  send(
    attempted: string,
    request: ServiceHttpRequest,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse>;
  /** Drops every connection; running requests reject. */
  close(): Promise<void>;
}

/** Makes the connections of a client. */
export function createHttpExchange(settings: EnrollmentClientSettings): HttpExchange {
  const { requestTimeoutMs, connection } = settings;
  const origin = `https://${connection.hostName}`;
  const closing = new AbortController();
  const sockets = createSocketSet();
  let opened: Promise<Sending> | undefined;

  return {
    async send(attempted, { method, target, headers, body }, signal) {
      if (closing.signal.aborted) throw closing.signal.reason;
      signal?.throwIfAborted();
      const ended = new AbortController();
      const timer = setTimeout(() => ended.abort(timedOut(attempted, requestTimeoutMs)), requestTimeoutMs);
      const watched = [closing.signal, ...(signal === undefined ? [] : [signal])];
      const listeners = watched.map((one) => () => ended.abort(one.reason));
      watched.forEach((one, index) => one.addEventListener('abort', listeners[index] as () => void));
      try {
        const { pool, request } = await (opened ??= open());
        ended.signal.throwIfAborted();
        const response = await request.call(pool, {
          origin,
          path: target,
          method,
          headers: { ...headers },
          ...(body === undefined ? {} : { body }),
          signal: ended.signal,
          headersTimeout: 0,
          bodyTimeout: 0,
        });
        const { statusCode: status } = response;
        return {
          status,
          headers: joinHeaders(response.headers),
          body: await collect(attempted, response.body),
        };
      } catch (error) {
        // undici wraps the reason, and the caller is to get it as it is.
        if (ended.signal.aborted) throw ended.signal.reason;
        throw toOwnError(error, attempted, connection.hostName);
      } finally {
        clearTimeout(timer);
        watched.forEach((one, index) => one.removeEventListener('abort', listeners[index] as () => void));
      }
    },
    async close() {
      closing.abort(
        new LocalProtocolError('ERR_SESSION_CLOSED', 'the enrollment client was closed', { state: 'closed' }),
      );
      const sending = await opened?.catch(() => undefined);
      await sending?.pool.destroy();
      sockets.destroy();
    },
  };

  async function open(): Promise<Sending> {
    const { host, port } = parseHostPort(connection.hostName, { argument: 'hostName', defaultPort: 443 });
    const { ca, proxyCa, proxyFor, maxConnections: connections } = settings;
    const [{ Pool, request }, { createConnector }] = await Promise.all([
      loadUndici(),
      import('@endorse/transport-socket/connector'),
    ]);
    const proxy = proxyFor(host, port);
    const connector = createConnector({ host, port, proxy, ca, proxyCa, clientCertificate: undefined });
    const track = (socket: Socket): void => {
      sockets.add(socket);
      // A tunnel has several steps: the next one must not begin after the end.
      if (closing.signal.aborted) socket.destroy();
    };
    const pool = new Pool(origin, {
      connections,
      allowH2: false,
      connect: (_options, callback) => {
        connector.open(track).then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        );
      },
    });
    return { pool, request };
  }
}

interface Sending {
  readonly pool: Dispatcher;
  readonly request: UndiciParts['request'];
}

async function collect(attempted: string, body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  // Leaving the loop early destroys the body and with it the connection.
  for await (const chunk of body) {
    byteLength += chunk.byteLength;
    if (byteLength > maxPageBytes) {
      throw new RemoteProtocolError(
        'ERR_REMOTE_TOO_LARGE',
        `${attempted}: the answer body exceeds ${maxPageBytes} bytes`,
        { evidence: { path: 'body' } },
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function joinHeaders(
  headers: Record<string, string | string[] | undefined>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

/** The connector's errors are ours already; what remains is what undici says of a connection that stood. */
function toOwnError(error: unknown, attempted: string, hostName: string): unknown {
  if (error instanceof RemoteProtocolError || error instanceof TransportError) return error;
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new RemoteProtocolError('ERR_REMOTE_TOO_LARGE', `${attempted}: the answer header is too large`, {
      evidence: { path: 'header' },
    });
  }
  if (name === 'HTTPParserError') {
    return new RemoteProtocolError('ERR_REMOTE_MALFORMED', `${attempted}: the answer is not HTTP/1.1`, {
      evidence: { path: 'answer' },
      remedy: 'Check that the port belongs to the service API.',
    });
  }
  return new TransportError('ERR_TRANSPORT_LOST', `${attempted}: the connection to ${hostName} was lost`, {
    cause: error,
    phase: 'receive',
    retryable: true,
    remedy: 'Read the record before trying again: the change may have been made.',
  });
}

function timedOut(attempted: string, deadlineMs: number): TimeoutError {
  return new TimeoutError(`${attempted}: no answer within ${deadlineMs} ms`, {
    deadlineMs,
    state: 'awaiting-reply',
    retryable: true,
  });
}
