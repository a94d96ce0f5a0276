import { LocalProtocolError, RemoteProtocolError, TransportError } from '@endorse/interface';
import { isTlsAlert, openError, tlsError } from '@endorse/transport-socket';

/** How far an exchange had come when it failed. */
export interface ExchangeProgress {
  /** What was being attempted, for messages. */
  readonly attempted: string;
  /** `https://host[:port]`. */
  readonly origin: string;
  /** True once the request had a connection. */
  readonly started: boolean;
  /** True once the whole request was handed to the connection. */
  readonly sent: boolean;
}

/** Converts what undici reports about one exchange; errors that are already ours pass. */
export function exchangeError(error: Error, progress: ExchangeProgress): Error {
  const { attempted, origin, started, sent } = progress;
  if (error instanceof TransportError) return error;
  const code = (error as { code?: unknown }).code;
  if (code === 'UND_ERR_INVALID_ARG') {
    return new LocalProtocolError(
      'ERR_LOCAL_UNENCODABLE',
      `${attempted}: cannot be sent over HTTP: ${error.message}`,
    );
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new RemoteProtocolError('ERR_REMOTE_TOO_LARGE', `${attempted}: the answer header is too large`, {
      evidence: { path: 'header' },
    });
  }
  // A parser that meets the end too early has met a lost connection. undici's own code for it comes and goes.
  if (error.name === 'HTTPParserError' && !/EOF/.test(`${error.message} ${String(code)}`)) {
    // The parser's error holds the raw answer, which may be anything: only its reason is kept.
    return new RemoteProtocolError('ERR_REMOTE_MALFORMED', `${attempted}: the answer is not HTTP/1.1`, {
      evidence: { path: 'answer', sample: error.message.slice(0, 200) },
      remedy: 'Check that the port belongs to the service.',
    });
  }
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') {
    return new TransportError('ERR_TRANSPORT_CLOSED', `${attempted}: the dispatcher was closed`, {
      cause: error,
      phase: 'close',
      retryable: false,
      remedy: 'Close the dispatcher of the application only after its sessions.',
    });
  }
  if (isTlsAlert(error)) return tlsError(origin, error);
  // Our own connector has said it better; this is for dispatchers of the application.
  if (!started && code !== 'UND_ERR_SOCKET') return openError(origin, error);
  return new TransportError('ERR_TRANSPORT_LOST', `${attempted}: the connection to ${origin} was lost`, {
    cause: error,
    phase: sent ? 'receive' : 'send',
    retryable: true,
    remedy: 'Try again: register and status requests may be repeated safely.',
  });
}
