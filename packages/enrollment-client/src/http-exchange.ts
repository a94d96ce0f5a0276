import { LocalProtocolError, RemoteProtocolError, TimeoutError } from '@endorse/interface';
import type { HttpResponse } from '@endorse/protocol';
import { maxPageBytes } from '@endorse/protocol';
import type { Dispatcher } from 'undici';
import { toTransportError } from './http-errors.ts';
import { loadDirectParts, loadProxyParts } from './load-undici.ts';
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
   * `ERR_REMOTE_TOO_LARGE`, `ERR_SESSION_CLOSED` after {@link HttpExchange.close}, or a `TransportError`.
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
  const { origin, requestTimeoutMs } = settings;
  const closing = new AbortController();
  let parts:
    | Promise<{ readonly dispatcher: Dispatcher; readonly request: Dispatcher['request'] }>
    | undefined;

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
        const { dispatcher, request } = await (parts ??= open(settings));
        ended.signal.throwIfAborted();
        const response = await request.call(dispatcher, {
          origin,
          path: target,
          method,
          headers: { ...headers },
          ...(body === undefined ? {} : { body }),
          signal: ended.signal,
          headersTimeout: 0,
          bodyTimeout: 0,
        });
        return {
          status: response.statusCode,
          headers: joinHeaders(response.headers),
          body: await collect(attempted, response.body),
        };
      } catch (error) {
        // undici wraps the reason, and the caller is to get it as it is.
        if (ended.signal.aborted) throw ended.signal.reason;
        throw error instanceof RemoteProtocolError ? error : toTransportError(error, attempted, origin);
      } finally {
        clearTimeout(timer);
        watched.forEach((one, index) => one.removeEventListener('abort', listeners[index] as () => void));
      }
    },
    async close() {
      closing.abort(
        new LocalProtocolError('ERR_SESSION_CLOSED', 'the enrollment client was closed', { state: 'closed' }),
      );
      const opened = await parts?.catch(() => undefined);
      await opened?.dispatcher.destroy();
    },
  };
}

async function open(
  settings: EnrollmentClientSettings,
): Promise<{ readonly dispatcher: Dispatcher; readonly request: Dispatcher['request'] }> {
  const { origin, proxyUrl, proxyFromEnvironment, maxConnections: connections } = settings;
  const ca = settings.ca === undefined ? {} : { ca: [...settings.ca] };
  const tls = { ...ca, timeout: settings.requestTimeoutMs };
  if (proxyUrl === undefined && !proxyFromEnvironment) {
    const { Pool, request } = await loadDirectParts();
    return { dispatcher: new Pool(origin, { connections, connect: tls, allowH2: false }), request };
  }
  const { ProxyAgent, EnvHttpProxyAgent, request } = await loadProxyParts();
  const options = { connections, requestTls: tls, proxyTls: tls, connect: tls, allowH2: false };
  const dispatcher =
    proxyUrl === undefined
      ? new EnvHttpProxyAgent(options)
      : new ProxyAgent({ ...options, uri: proxyUrl.revealText() });
  return { dispatcher, request };
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

function timedOut(attempted: string, deadlineMs: number): TimeoutError {
  return new TimeoutError(`${attempted}: no answer within ${deadlineMs} ms`, {
    deadlineMs,
    state: 'awaiting-reply',
    retryable: true,
  });
}
