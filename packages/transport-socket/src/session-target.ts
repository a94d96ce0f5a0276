import type { AttestationKind, RegistrationTarget, Secret, SessionRequestOptions } from '@endorse/interface';
import { InvalidArgumentError, LocalProtocolError } from '@endorse/interface';
import { parseHostPort, validateIdScope, validateRegistrationId } from '@endorse/protocol';

/** Whom a session registers with, and where that is. */
export interface SessionTarget {
  /** A frozen copy. */
  readonly target: RegistrationTarget;
  /** Host name or IP address; IPv6 without brackets. */
  readonly host: string;
  /** 1 to 65535; the default of the carrier where the host named none. */
  readonly port: number;
}

/** Checks the target of `openSession`; `defaultPort` is the carrier's. Throws `ERR_INVALID_ARGUMENT` by the name of the part. */
export function checkTarget(target: RegistrationTarget, defaultPort: number): SessionTarget {
  if (target === null || typeof target !== 'object')
    throw new InvalidArgumentError('target', 'must be an object');
  const { provisioningHost, idScope, registrationId } = target;
  const { host, port } = parseHostPort(provisioningHost, {
    argument: 'target.provisioningHost',
    defaultPort,
  });
  validateIdScope(idScope, 'target.idScope');
  validateRegistrationId(registrationId, 'target.registrationId');
  return { target: Object.freeze({ provisioningHost, idScope, registrationId }), host, port };
}

/**
 * Checks the token of a request: a `Secret` of printable ASCII, for it stands in headers and fields; none at all for
 * X.509. Throws `ERR_INVALID_ARGUMENT`.
 */
export function checkToken(attestation: AttestationKind, sasToken: Secret | undefined): void {
  if (attestation === 'x509') {
    if (sasToken === undefined) return;
    throw new InvalidArgumentError('request.sasToken', 'must be absent for X.509');
  }
  if (typeof sasToken?.revealText !== 'function') {
    throw new InvalidArgumentError('request.sasToken', `must be a Secret for ${attestation}`);
  }
  // Anything else would be cut short or refused further down, with an error that may show it.
  if (!/^[\x21-\x7e][\x20-\x7e]*$/.test(sasToken.revealText())) {
    throw new InvalidArgumentError('request.sasToken', 'must be printable ASCII');
  }
}

/** Checks that a request is for the registration of its session: one for another is a mix-up of the caller. Throws `ERR_INVALID_ARGUMENT`. */
export function requireSame(argument: string, given: string, expected: string): void {
  if (given !== expected)
    throw new InvalidArgumentError(argument, 'must be the one the session was opened with');
}

/** What every method of a session rejects with once it is closed. */
export function sessionClosed(): LocalProtocolError {
  return new LocalProtocolError('ERR_SESSION_CLOSED', 'the session was closed', { state: 'closed' });
}

/**
 * Checks that a session can take a request, before any IO. Throws `ERR_SESSION_CLOSED` when `closing` is aborted,
 * `ERR_INVALID_ARGUMENT` for options without a signal, and the reason of a signal that is aborted.
 */
export function checkRequestOptions(closing: AbortSignal, options: SessionRequestOptions): void {
  if (closing.aborted) throw sessionClosed();
  if (typeof options?.signal?.throwIfAborted !== 'function') {
    throw new InvalidArgumentError('options.signal', 'must be an AbortSignal');
  }
  options.signal.throwIfAborted();
}
