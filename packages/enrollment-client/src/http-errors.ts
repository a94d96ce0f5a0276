import { RemoteProtocolError, TransportError } from '@endorse/interface';

/** Converts what undici reports about one exchange with `origin`; the original is kept as `cause`. */
export function toTransportError(error: unknown, attempted: string, origin: string): Error {
  const cause = rootOf(error);
  const code = codeOf(cause);
  const where = new URL(origin).host;
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new RemoteProtocolError('ERR_REMOTE_TOO_LARGE', `${attempted}: the answer header is too large`, {
      evidence: { path: 'header' },
    });
  }
  if (cause.name === 'HTTPParserError') {
    return new RemoteProtocolError('ERR_REMOTE_MALFORMED', `${attempted}: the answer is not HTTP/1.1`, {
      evidence: { path: 'answer' },
      remedy: 'Check that the port belongs to the service API.',
    });
  }
  if ((cause as { syscall?: unknown }).syscall === 'getaddrinfo') {
    return new TransportError('ERR_TRANSPORT_DNS', `${attempted}: cannot resolve ${where}: ${code}`, {
      cause,
      phase: 'resolve',
      retryable: code === 'EAI_AGAIN',
      remedy: 'Check the HostName of the connection string, and the name servers of this machine.',
    });
  }
  if (/^UND_ERR_(ABORTED|PRX_TLS)$/.test(code) || /proxy/i.test(cause.message)) {
    return new TransportError('ERR_TRANSPORT_PROXY', `${attempted}: the proxy gave no tunnel to ${where}`, {
      cause,
      phase: 'proxy',
      retryable: false,
      remedy: 'Check address, user name and password of the proxy, and that it allows this host.',
    });
  }
  if (isTls(code)) {
    return new TransportError('ERR_TRANSPORT_TLS', `${attempted}: TLS with ${where} failed: ${code}`, {
      cause,
      phase: 'tls',
      retryable: false,
      remedy: 'Pass the certificate authority of the service as `ca`, and check the clock of this machine.',
    });
  }
  if (/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EACCES|EPERM|UND_ERR_CONNECT_TIMEOUT)$/.test(code)) {
    return new TransportError('ERR_TRANSPORT_CONNECT', `${attempted}: cannot connect to ${where}: ${code}`, {
      cause,
      phase: 'connect',
      retryable: true,
      remedy: 'Check host and port, and that the service is running.',
    });
  }
  return new TransportError('ERR_TRANSPORT_LOST', `${attempted}: the connection to ${where} was lost`, {
    cause,
    phase: 'receive',
    retryable: true,
    remedy: 'Read the record before trying again: the change may have been made.',
  });
}

/** Of several attempts at addresses the first tells most; undici wraps some errors once. */
function rootOf(error: unknown): Error {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0];
  return error instanceof Error ? error : new Error(String(error));
}

function codeOf(cause: Error): string {
  const { code } = cause as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

function isTls(code: string): boolean {
  return /^ERR_(SSL|TLS)_|CERT|SELF_SIGNED|UNABLE_TO_|^INVALID_CA$/.test(code);
}
