import { RemoteProtocolError, TransportError, isEndorseError } from '@endorse/interface';
import { noteOriginal } from '../errors.ts';
import { readServiceRefusal } from './service-refusal.ts';

/**
 * What the SDK calls a lost connection. Its transports cancel what is under way when theirs breaks; what we cancel
 * ourselves is not asked any more why it ended.
 */
const connectionNames: ReadonlySet<string> = new Set([
  'NotConnectedError',
  'TimeoutError',
  'OperationCancelledError',
]);

/** Error codes of Node.js that mean that no connection could be made. */
const connectCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);

/** Error codes of Node.js that mean that a connection broke. */
const lostCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/**
 * Turns what a transport of the official SDK failed with into an error of Endorse,
 * so that retrying can be decided; the original is the `cause`.
 */
export function fromAzureTransportError(attempted: string, error: unknown, nowMs: number): Error {
  // One of ours that went through the SDK and back.
  if (error instanceof Error && isEndorseError(error)) return error;
  return noteOriginal(
    readServiceRefusal(attempted, error, nowMs) ?? toConnectionError(attempted, error),
    error,
  );
}

function toConnectionError(attempted: string, cause: unknown): Error {
  const { name, message, code } = describeError(cause);
  const text = `${attempted}: ${message}`;
  if (connectCodes.has(code)) return lost('ERR_TRANSPORT_CONNECT', 'connect', true);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return lost('ERR_TRANSPORT_DNS', 'resolve', code === 'EAI_AGAIN');
  if (lostCodes.has(code) || connectionNames.has(name)) return lost('ERR_TRANSPORT_LOST', 'receive', true);
  if (/^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_)/.test(code))
    return lost('ERR_TRANSPORT_TLS', 'tls', false);
  return new RemoteProtocolError('ERR_REMOTE_UNEXPECTED', text, { cause });

  function lost(
    transportCode: 'ERR_TRANSPORT_CONNECT' | 'ERR_TRANSPORT_DNS' | 'ERR_TRANSPORT_LOST' | 'ERR_TRANSPORT_TLS',
    phase: 'connect' | 'resolve' | 'receive' | 'tls',
    retryable: boolean,
  ): TransportError {
    return new TransportError(transportCode, text, { phase, retryable, cause });
  }
}

function describeError(error: unknown): {
  readonly name: string;
  readonly message: string;
  readonly code: string;
} {
  if (!(error instanceof Error)) return { name: '', message: String(error), code: '' };
  const { name, message } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // The SDK makes some errors of other errors' messages, when those have none.
  return { name, code, message: message === '' || message === 'undefined' ? name : message };
}
