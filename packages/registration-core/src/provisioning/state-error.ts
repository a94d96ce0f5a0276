import type { EndorseErrorOptions } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';
import type { ProvisionedDevice } from './provisioned-device.ts';

/** Codes of {@link ProvisioningStateError}. */
export type ProvisioningStateCode = 'ERR_STATE_READ' | 'ERR_STATE_WRITE' | 'ERR_STATE_LOCKED';

/**
 * The store of the assignment failed.
 *
 * `ERR_STATE_READ`: it cannot be read; nothing was registered, because a device
 * that registers at every boot wears its TPM out. `ERR_STATE_WRITE`: the device
 * is registered, see `device`, but will register again at the next boot.
 * `ERR_STATE_LOCKED`: another process holds it for too long; retryable.
 */
export class ProvisioningStateError extends EndorseError {
  readonly fault = 'local';
  readonly code: ProvisioningStateCode;
  readonly retryable: boolean;
  /** `ERR_STATE_WRITE`: what could not be stored, and works until the next boot. */
  readonly device: ProvisionedDevice | undefined;

  constructor(
    code: ProvisioningStateCode,
    message: string,
    options: EndorseErrorOptions & { readonly device?: ProvisionedDevice | undefined } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryable = code === 'ERR_STATE_LOCKED';
    this.device = options.device;
  }
}
