import type { TransportPhase } from '@endorse/interface';
import { TransportError } from '@endorse/interface';

/** A connection to `address` that did not come about, when only the error tells how far it had come. */
export function openError(address: string, cause: Error): TransportError {
  const code = codeOf(cause);
  const isTls = tlsRemedies[code] !== undefined || isTlsAlert(cause) || code.startsWith('ERR_TLS_');
  return isTls ? tlsError(address, cause) : connectError(address, cause);
}

/** A connection to `address` that did not come about before TLS began. */
export function connectError(address: string, cause: Error): TransportError {
  if (isLookupError(cause)) {
    return new TransportError('ERR_TRANSPORT_DNS', `cannot resolve ${address}: ${codeOf(cause)}`, {
      cause,
      phase: 'resolve',
      // EAI_AGAIN is "ask again"; ENOTFOUND is an answer.
      retryable: codeOf(cause) === 'EAI_AGAIN',
      remedy: 'Check the spelling of the host and the name servers of this device.',
    });
  }
  return new TransportError('ERR_TRANSPORT_CONNECT', `cannot connect to ${address}: ${describe(cause)}`, {
    cause,
    phase: 'connect',
    retryable: isRetryable(cause),
    remedy: connectRemedies[codeOf(cause)] ?? 'Check that the host is reachable from this device.',
  });
}

/** A TLS handshake with `address` that failed. */
export function tlsError(address: string, cause: Error): TransportError {
  const code = codeOf(cause);
  return new TransportError('ERR_TRANSPORT_TLS', `TLS with ${address} failed: ${describe(cause)}`, {
    cause,
    phase: 'tls',
    // A certificate stays wrong; a connection that broke in the handshake may not.
    retryable: code === 'ECONNRESET' || code === 'EPIPE' || code === '',
    remedy: tlsRemedy(code),
  });
}

/** True for errors of OpenSSL, which may also come after the handshake: TLS 1.3 refuses client certificates late. */
export function isTlsAlert(cause: Error): boolean {
  return codeOf(cause).startsWith('ERR_SSL_');
}

/** Where a connection was when it failed. */
export interface FailureContext {
  /** What was being attempted, for messages. */
  readonly attempted: string;
  /** `host:port`. */
  readonly address: string;
}

/** A connection that ended without a word of the service. */
export function lostError({ attempted, address }: FailureContext, cause?: Error): TransportError {
  // TLS 1.3 refuses a client certificate after the handshake.
  if (cause !== undefined && isTlsAlert(cause)) return tlsError(address, cause);
  return new TransportError('ERR_TRANSPORT_LOST', `${attempted}: the connection to ${address} was lost`, {
    ...(cause === undefined ? {} : { cause }),
    phase: 'receive',
    retryable: true,
    remedy: 'Try again: register and status requests may be repeated safely.',
  });
}

/** A proxy at `address` that could not be used. */
export function proxyError(address: string, cause: Error): TransportError {
  return new TransportError('ERR_TRANSPORT_PROXY', `cannot use the proxy ${address}: ${describe(cause)}`, {
    cause,
    phase: proxyPhase,
    retryable: isLookupError(cause)
      ? codeOf(cause) === 'EAI_AGAIN'
      : isRetryable(cause) && tlsRemedies[codeOf(cause)] === undefined && !isTlsAlert(cause),
    remedy: 'Check the address and scheme of the proxy, and that it is reachable from this device.',
  });
}

/** A proxy that answered CONNECT with another status than 200 to 299. */
export function proxyStatusError(address: string, target: string, status: number): TransportError {
  return new TransportError(
    'ERR_TRANSPORT_PROXY',
    `the proxy ${address} refused a tunnel to ${target} with status ${status}`,
    {
      phase: proxyPhase,
      retryable: status === 429 || (status >= 500 && status !== 501 && status !== 505),
      remedy:
        status === 407
          ? 'Give user name and password in the address of the proxy.'
          : `Allow CONNECT to ${target} on the proxy.`,
    },
  );
}

const proxyPhase: TransportPhase = 'proxy';

const connectRemedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Check the port, and that the service is running.',
  EACCES: 'Allow the connection in the firewall or sandbox of this device.',
  EPERM: 'Allow the connection in the firewall or sandbox of this device.',
};

const trustRemedy = 'Pass the certificate authority of the service as `ca`, or find out who intercepts TLS.';
const clockRemedy = 'Check the clock of this device first, then the certificate of the service.';

const tlsRemedies: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: trustRemedy,
  SELF_SIGNED_CERT_IN_CHAIN: trustRemedy,
  UNABLE_TO_GET_ISSUER_CERT: trustRemedy,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: trustRemedy,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: trustRemedy,
  CERT_UNTRUSTED: trustRemedy,
  CERT_SIGNATURE_FAILURE: trustRemedy,
  INVALID_CA: trustRemedy,
  CERT_HAS_EXPIRED: clockRemedy,
  CERT_NOT_YET_VALID: clockRemedy,
  ERR_TLS_CERT_ALTNAME_INVALID: 'Use a host name that the certificate of the service names.',
};

function tlsRemedy(code: string): string {
  const known = tlsRemedies[code];
  if (known !== undefined) return known;
  if (/ALERT.*(CERTIFICATE|UNKNOWN_CA)/.test(code)) return 'Check the client certificate and who issued it.';
  return 'Check that the port speaks TLS 1.2 or 1.3.';
}

function isLookupError(cause: Error): boolean {
  return (cause as { syscall?: unknown }).syscall === 'getaddrinfo';
}

/** Everything that can pass: the closed list is of what cannot. */
function isRetryable(cause: Error): boolean {
  return !['EACCES', 'EPERM', 'EINVAL', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(cause));
}

function codeOf(cause: Error): string {
  const { code } = cause as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** The code where there is one: system and OpenSSL messages repeat it with addresses and line feeds. */
function describe(cause: Error): string {
  return codeOf(cause) || cause.message;
}
