import type { EndorseErrorOptions } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';

/** Codes of {@link EmulatorError}. */
export type EmulatorErrorCode = 'ERR_EMULATOR_LISTEN' | 'ERR_EMULATOR_CA';

/**
 * The emulator cannot do what it was asked: `ERR_EMULATOR_LISTEN` when a port is taken or
 * not allowed, and `ERR_EMULATOR_CA` when the CA directory is unusable.
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
