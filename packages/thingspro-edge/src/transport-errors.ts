import { RemoteProtocolError, TransportError, isEndorseError } from '@endorse/interface';

/** A TCP or TLS connection to `address` that did not come about. */
export function connectError(address: string, cause: Error, connected: boolean): TransportError {
  const code = codeOf(cause);
  if ((cause as { syscall?: unknown }).syscall === 'getaddrinfo') {
    return new TransportError('ERR_TRANSPORT_DNS', `cannot resolve ${address}: ${code}`, {
      cause,
      phase: 'resolve',
      retryable: code === 'EAI_AGAIN',
      remedy: 'Check the spelling of the host, or give its IP address.',
    });
  }
  if (!connected) {
    return new TransportError(
      'ERR_TRANSPORT_CONNECT',
      `cannot connect to ${address}: ${code || cause.message}`,
      {
        cause,
        phase: 'connect',
        retryable: !['EACCES', 'EPERM', 'EINVAL', 'EADDRNOTAVAIL'].includes(code),
        remedy:
          code === 'ECONNREFUSED'
            ? 'Check the port: it is the one the gateway announces, often 8443.'
            : 'Check that this machine is in a network from which the gateway is reachable.',
      },
    );
  }
  return new TransportError('ERR_TRANSPORT_TLS', `TLS with ${address} failed: ${code || cause.message}`, {
    cause,
    phase: 'tls',
    // A certificate stays wrong; a handshake that was cut may not be next time.
    retryable: code === 'ECONNRESET' || code === 'EPIPE' || code === '',
    remedy: /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)
      ? 'Pass the authority that signed the certificate of the gateway, or trust it by a pin.'
      : 'Check that the port speaks TLS 1.2 or 1.3.',
  });
}

/** Converts what undici reports about an exchange; errors that are already ours pass. */
export function exchangeError(attempted: string, address: string, error: unknown): unknown {
  if (isEndorseError(error) || !(error instanceof Error)) return error;
  const code = codeOf(error);
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE' || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new RemoteProtocolError(
      'ERR_REMOTE_TOO_LARGE',
      `${attempted}: the answer of ${address} is too large`,
      {
        evidence: { path: 'answer' },
      },
    );
  }
  if (error.name === 'HTTPParserError' && !/EOF/.test(`${error.message} ${code}`)) {
    // The parser's error holds the raw answer: only its reason is kept.
    return new RemoteProtocolError(
      'ERR_REMOTE_MALFORMED',
      `${attempted}: the answer of ${address} is not HTTP/1.1`,
      {
        evidence: { path: 'answer', sample: error.message.slice(0, 200) },
        remedy: 'Check that the port belongs to the REST API of the gateway.',
      },
    );
  }
  return new TransportError('ERR_TRANSPORT_LOST', `${attempted}: the connection to ${address} was lost`, {
    cause: error,
    phase: 'receive',
    retryable: true,
    remedy: 'Try again, and read first whether the change was made.',
  });
}

function codeOf(cause: Error): string {
  const { code } = cause as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
