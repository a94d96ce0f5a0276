import type { EndorseErrorOptions } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';

/** Codes of {@link EmulatorError}. */
export type EmulatorErrorCode =
  | 'ERR_EMULATOR_LISTEN'
  | 'ERR_EMULATOR_CA'
  | 'ERR_EMULATOR_DATA'
  | 'ERR_EMULATOR_DATA_IN_USE'
  | 'ERR_EMULATOR_SEED'
  | 'ERR_EMULATOR_DEVICE_NOT_FOUND'
  | 'ERR_EMULATOR_DEVICE_OFFLINE'
  | 'ERR_EMULATOR_METHOD_TIMEOUT';

/**
 * The emulator cannot do what it was asked: `ERR_EMULATOR_LISTEN` when a port is taken or not allowed,
 * `ERR_EMULATOR_CA` when the CA directory is unusable, `ERR_EMULATOR_DATA` when the data directory is,
 * `ERR_EMULATOR_DATA_IN_USE` when another emulator has it, `ERR_EMULATOR_SEED` when a seed file is unusable, `ERR_EMULATOR_DEVICE_NOT_FOUND` when the hub has no such
 * device, `ERR_EMULATOR_DEVICE_OFFLINE` when the device is not connected or takes no methods, and
 * `ERR_EMULATOR_METHOD_TIMEOUT` when it did not answer one in time.
 */
export class EmulatorError extends EndorseError {
  readonly fault = 'local';
  readonly retryable = false;
  readonly code: EmulatorErrorCode;

  constructor(code: EmulatorErrorCode, message: string, options: EndorseErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}
