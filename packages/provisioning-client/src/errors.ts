import { EndorseError, ServiceError, isEndorseError } from '@endorse/interface';
import type { ErrorFault } from '@endorse/interface';
import { ProvDeviceResult, nameOfResult } from './results.ts';

/** Results that are failures. */
export type ProvDeviceFailure = Exclude<ProvDeviceResult, 0 | 2>;

/** Codes of {@link ProvisioningClientError}, one a result. */
export type ProvisioningClientErrorCode =
  | 'ERR_PROV_INVALID_ARG'
  | 'ERR_PROV_MEMORY'
  | 'ERR_PROV_PARSING'
  | 'ERR_PROV_TRANSPORT'
  | 'ERR_PROV_INVALID_STATE'
  | 'ERR_PROV_DEV_AUTH'
  | 'ERR_PROV_TIMEOUT'
  | 'ERR_PROV_KEY'
  | 'ERR_PROV_FAILED';

/**
 * Why a registration of the provisioning client failed: the result, and as `cause` the error of the part that
 * failed, with its own code. `fault`, `retryable` and `remedy` are those of the cause where it has them.
 */
export class ProvisioningClientError extends EndorseError {
  readonly code: ProvisioningClientErrorCode;
  readonly fault: ErrorFault;
  readonly retryable: boolean;
  /** What the callbacks were given. */
  readonly result: ProvDeviceFailure;
  /** The service's own number, for example 401002, where it gave one. */
  readonly serviceCode: number | undefined;

  constructor(result: ProvDeviceFailure, message: string, options: { readonly cause?: unknown } = {}) {
    const { cause } = options;
    const known = isEndorseError(cause) ? cause : undefined;
    super(message, { cause, remedy: known?.remedy });
    this.code = codes[result];
    this.fault = known?.fault ?? faults[result];
    this.retryable = known?.retryable ?? false;
    this.result = result;
    this.serviceCode = cause instanceof ServiceError ? cause.serviceCode : undefined;
  }
}

/** Wraps what a part failed with; the message names the result and keeps that of the cause. */
export function toClientError(result: ProvDeviceFailure, cause: unknown): ProvisioningClientError {
  if (cause instanceof ProvisioningClientError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ProvisioningClientError(result, `${nameOfResult(result)}: ${message}`, { cause });
}

const codes: Readonly<Record<ProvDeviceFailure, ProvisioningClientErrorCode>> = {
  [ProvDeviceResult.INVALID_ARG]: 'ERR_PROV_INVALID_ARG',
  [ProvDeviceResult.MEMORY]: 'ERR_PROV_MEMORY',
  [ProvDeviceResult.PARSING]: 'ERR_PROV_PARSING',
  [ProvDeviceResult.TRANSPORT]: 'ERR_PROV_TRANSPORT',
  [ProvDeviceResult.INVALID_STATE]: 'ERR_PROV_INVALID_STATE',
  [ProvDeviceResult.DEV_AUTH_ERROR]: 'ERR_PROV_DEV_AUTH',
  [ProvDeviceResult.TIMEOUT]: 'ERR_PROV_TIMEOUT',
  [ProvDeviceResult.KEY_ERROR]: 'ERR_PROV_KEY',
  [ProvDeviceResult.ERROR]: 'ERR_PROV_FAILED',
};

const faults: Readonly<Record<ProvDeviceFailure, ErrorFault>> = {
  [ProvDeviceResult.INVALID_ARG]: 'caller',
  [ProvDeviceResult.MEMORY]: 'peer',
  [ProvDeviceResult.PARSING]: 'peer',
  [ProvDeviceResult.TRANSPORT]: 'transport',
  [ProvDeviceResult.INVALID_STATE]: 'caller',
  [ProvDeviceResult.DEV_AUTH_ERROR]: 'service',
  [ProvDeviceResult.TIMEOUT]: 'deadline',
  [ProvDeviceResult.KEY_ERROR]: 'tpm',
  [ProvDeviceResult.ERROR]: 'local',
};
