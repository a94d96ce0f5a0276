import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { RemoteProtocolError, TransportError } from '@endorse/interface';

/** One request. */
export interface HttpCall {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM of CAs to trust instead of the system's. */
  readonly ca: string | undefined;
  /** How long the whole call may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What came back. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** More than any reply of a registrar has. */
const maxAnswerBytes = 65_536;

/**
 * Sends one request over a connection of its own and reads the whole answer. Redirects are not followed: the token and
 * the secret are for this address. Rejects with a retryable {@link TransportError} when the wire fails or time is up,
 * with one that is not for a certificate that is not trusted, and with the signal's reason.
 */
export function callHttp(call: HttpCall): Promise<HttpAnswer> {
  const { url, method, headers, body, ca, timeoutMs, signal } = call;
  signal.throwIfAborted();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(signal.aborted ? (signal.reason as Error) : asTransportError(error, url));
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(
      url,
      { method, headers, agent: false, signal: limit, ...(ca === undefined ? {} : { ca }) },
      (response) => {
        const chunks: Buffer[] = [];
        let total = 0;
        response.on('data', (chunk: Buffer) => {
          total += chunk.byteLength;
          if (total <= maxAnswerBytes) chunks.push(chunk);
          else
            request.destroy(
              new RemoteProtocolError('ERR_REMOTE_TOO_LARGE', 'the registrar’s answer is too large'),
            );
        });
        response.once('error', fail);
        response.once('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          });
        });
      },
    );
    request.once('error', fail);
    request.end(body);
  });
}

function asTransportError(error: Error, url: URL): Error {
  if (error instanceof RemoteProtocolError) return error;
  const code = 'code' in error ? String(error.code) : '';
  const isTrust = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ALTNAME/.test(code);
  if (isTrust) {
    return new TransportError('ERR_TRANSPORT_TLS', `the certificate of ${url.host} is not trusted: ${code}`, {
      cause: error,
      phase: 'tls',
      retryable: false,
      remedy: 'Give the CA of the registrar (its ca.pem) to the device.',
    });
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new TransportError('ERR_TRANSPORT_DNS', `${url.hostname} cannot be found`, {
      cause: error,
      phase: 'resolve',
      retryable: true,
    });
  }
  const isConnect = code === 'ECONNREFUSED' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH';
  return new TransportError(
    isConnect ? 'ERR_TRANSPORT_CONNECT' : 'ERR_TRANSPORT_LOST',
    `${url.host} did not answer: ${code || error.message}`,
    { cause: error, phase: isConnect ? 'connect' : 'receive', retryable: true },
  );
}
