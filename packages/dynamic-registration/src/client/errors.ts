import type { EndorseErrorOptions, ErrorFault } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';

/** Codes of {@link DeviceRegistrationError}. */
export type DeviceRegistrationErrorCode =
  | 'ERR_REGISTRATION_URL'
  | 'ERR_REGISTRATION_REFUSED'
  | 'ERR_REGISTRATION_STATE'
  | 'ERR_REGISTRATION_SECRET';

/**
 * A device cannot register: it is told to use an address that is not safe (`ERR_REGISTRATION_URL`), the registrar
 * refuses it (`ERR_REGISTRATION_REFUSED`), its state file cannot be used (`ERR_REGISTRATION_STATE`), or the secret was
 * wrapped for a TPM that it has not (`ERR_REGISTRATION_SECRET`).
 */
export class DeviceRegistrationError extends EndorseError {
  readonly fault: ErrorFault;
  readonly retryable = false;
  readonly code: DeviceRegistrationErrorCode;
  /** HTTP status of a refusal. */
  readonly status: number | undefined;
  /** The registrar's `code` of a refusal, for example `already-registered`. */
  readonly problem: string | undefined;

  constructor(
    code: DeviceRegistrationErrorCode,
    message: string,
    options: EndorseErrorOptions & { readonly status?: number; readonly problem?: string | undefined } = {},
  ) {
    super(message, options);
    this.code = code;
    this.status = options.status;
    this.problem = options.problem;
    this.fault = code === 'ERR_REGISTRATION_REFUSED' ? 'service' : 'local';
  }
}
