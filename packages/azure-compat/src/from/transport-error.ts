import { RemoteProtocolError, ServiceError, TransportError, isEndorseError } from '@endorse/interface';
import { amqpErrorToServiceError } from '@endorse/protocol';
import { noteOriginal } from '../errors.ts';

/** HTTP statuses behind the SDK's error classes. Names, not classes: several copies of the SDK may be loaded. */
const statuses: Readonly<Record<string, number>> = {
  ArgumentError: 400,
  UnauthorizedError: 401,
  TooManyDevicesError: 403,
  DeviceNotFoundError: 404,
  IotHubNotFoundError: 404,
  DeviceTimeoutError: 408,
  DeviceAlreadyExistsError: 409,
  InvalidEtagError: 412,
  ThrottlingError: 429,
  IotHubQuotaExceededError: 429,
  InternalServerError: 500,
  BadDeviceResponseError: 502,
  ServiceUnavailableError: 503,
  GatewayTimeoutError: 504,
};

/**
 * What a lost connection is called. Official transports cancel what is under way when theirs breaks; what we cancel
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
export function fromAzureTransportError(attempted: string, error: unknown): Error {
  // One of ours that went through the SDK and back.
  if (error instanceof Error && isEndorseError(error)) return error;
  return noteOriginal(classify(attempted, error), error);
}

function classify(attempted: string, cause: unknown): Error {
  const condition = textField(cause, 'condition');
  if (condition !== undefined && !(cause instanceof Error)) {
    // A rejected message: official AMQP transports pass on what rhea gave them, which is no error.
    const refusal = amqpErrorToServiceError(
      { condition, description: textField(cause, 'description') ?? '' },
      { attempted, nowMs: 0 },
    );
    return new ServiceError(refusal.message, refusal, { cause, remedy: refusal.remedy });
  }
  const message = `${attempted}: ${cause instanceof Error ? cause.message : String(cause)}`;
  const status = statusOf(cause);
  if (status !== undefined) return new ServiceError(message, { status }, { cause });
  const name = cause instanceof Error ? cause.name : '';
  const code = textField(cause, 'code') ?? '';
  if (connectCodes.has(code)) return lost('ERR_TRANSPORT_CONNECT', 'connect', true);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return lost('ERR_TRANSPORT_DNS', 'resolve', code === 'EAI_AGAIN');
  if (lostCodes.has(code) || connectionNames.has(name)) return lost('ERR_TRANSPORT_LOST', 'receive', true);
  if (/^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_)/.test(code))
    return lost('ERR_TRANSPORT_TLS', 'tls', false);
  return new RemoteProtocolError('ERR_REMOTE_UNEXPECTED', message, { cause });

  function lost(
    transportCode: 'ERR_TRANSPORT_CONNECT' | 'ERR_TRANSPORT_DNS' | 'ERR_TRANSPORT_LOST' | 'ERR_TRANSPORT_TLS',
    phase: 'connect' | 'resolve' | 'receive' | 'tls',
    retryable: boolean,
  ): TransportError {
    return new TransportError(transportCode, message, { phase, retryable, cause });
  }
}

/** The status of the HTTP response that the SDK hangs on its errors, else the one its class stands for. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const response = 'response' in error ? error.response : undefined;
  if (typeof response === 'object' && response !== null && 'statusCode' in response) {
    const { statusCode } = response;
    if (typeof statusCode === 'number' && statusCode >= 400 && statusCode <= 599) return statusCode;
  }
  return Object.hasOwn(statuses, error.name) ? statuses[error.name] : undefined;
}

function textField(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const field: unknown = Reflect.get(value, name);
  return typeof field === 'string' ? field : undefined;
}
