import { isEndorseError } from '@endorse/interface';
import type { ServiceError } from '@endorse/interface';
import type { ProvDeviceFailure } from '../errors.ts';
import { toClientError } from '../errors.ts';
import type { MachineEvent } from '../machine/index.ts';
import { ProvDeviceResult } from '../results.ts';

/** HTTP statuses after which a fresh registration may succeed where this request cannot. */
export type RestartStatuses = readonly number[];

/**
 * What a failed exchange means: an answer that says no or cannot be used is still an answer (`replied`); anything
 * else is the connection's failure.
 */
export function toEvent(error: unknown, restartOn: RestartStatuses = []): MachineEvent {
  const result = resultOf(error);
  const clientError = toClientError(result, error);
  if (isServiceError(error)) {
    const { status, retryable, retryAfterMs } = error;
    const recovery = retryable ? 'repeat' : restartOn.includes(status) ? 'restart' : 'none';
    return { type: 'replied', reply: { kind: 'refused', error: clientError, recovery, retryAfterMs } };
  }
  if (isEndorseError(error) && error.code.startsWith('ERR_REMOTE_')) {
    return { type: 'replied', reply: { kind: 'refused', error: clientError, recovery: 'none' } };
  }
  return { type: 'failed', error: clientError };
}

/** The result for an error of a transport or a decoder. */
function resultOf(error: unknown): ProvDeviceFailure {
  if (!isEndorseError(error)) return ProvDeviceResult.TRANSPORT;
  if (isServiceError(error)) {
    return error.status === 401 || error.status === 403
      ? ProvDeviceResult.DEV_AUTH_ERROR
      : ProvDeviceResult.TRANSPORT;
  }
  switch (error.code) {
    case 'ERR_REMOTE_TOO_LARGE':
      return ProvDeviceResult.MEMORY;
    case 'ERR_REMOTE_REDIRECT':
      return ProvDeviceResult.TRANSPORT;
    case 'ERR_TIMEOUT':
      return ProvDeviceResult.TIMEOUT;
    default:
      if (error.code.startsWith('ERR_REMOTE_')) return ProvDeviceResult.PARSING;
      if (error.fault === 'transport') return ProvDeviceResult.TRANSPORT;
      // On some carriers the challenge is part of connecting, and the TPM speaks through the transport.
      return error.fault === 'tpm' ? ProvDeviceResult.KEY_ERROR : ProvDeviceResult.ERROR;
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return isEndorseError(error) && error.code.startsWith('ERR_SERVICE_');
}
