import type { EndorseErrorOptions, RegistrationState } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';

/** Codes of {@link RegistrationFailedError}. */
export type RegistrationFailedCode =
  | 'ERR_REGISTRATION_FAILED'
  | 'ERR_REGISTRATION_DISABLED'
  | 'ERR_REGISTRATION_UNASSIGNED'
  | 'ERR_REGISTRATION_UNFINISHED';

/**
 * The service ended the registration without a hub.
 *
 * `ERR_REGISTRATION_FAILED`: the allocation failed; `serviceCode` says why.
 * `ERR_REGISTRATION_DISABLED`: the enrollment is disabled.
 * `ERR_REGISTRATION_UNASSIGNED`: the service has no operation for the device.
 * `ERR_REGISTRATION_UNFINISHED`: still assigning after as many status requests
 * as the retry policy allows; retryable, and can be resumed from `operationId`.
 */
export class RegistrationFailedError extends EndorseError {
  readonly fault = 'service';
  readonly code: RegistrationFailedCode;
  /** Only for `ERR_REGISTRATION_UNFINISHED`. */
  readonly retryable: boolean;
  /** The registration it is about. */
  readonly registrationId: string;
  /** The operation that ended or did not; undefined when the service named none. */
  readonly operationId: string | undefined;
  /** The service's own error code, for example 400207 when the custom allocation failed. */
  readonly serviceCode: number | undefined;
  /** What the service said about the registration; not enumerable, so that logging the error stays short. */
  declare readonly registrationState: RegistrationState | undefined;

  constructor(
    code: RegistrationFailedCode,
    message: string,
    details: {
      readonly registrationId: string;
      readonly operationId?: string | undefined;
      readonly registrationState?: RegistrationState | undefined;
    },
    options: EndorseErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryable = code === 'ERR_REGISTRATION_UNFINISHED';
    this.registrationId = details.registrationId;
    this.operationId = details.operationId;
    this.serviceCode = details.registrationState?.errorCode;
    Object.defineProperty(this, 'registrationState', { value: details.registrationState, enumerable: false });
  }
}

/** The reason a registration is aborted with by `cancel()`. */
export class RegistrationCancelledError extends EndorseError {
  readonly fault = 'caller';
  readonly retryable = false;
  readonly code = 'ERR_REGISTRATION_CANCELLED';

  constructor(message = 'the registration was cancelled', options: EndorseErrorOptions = {}) {
    super(message, options);
  }
}
