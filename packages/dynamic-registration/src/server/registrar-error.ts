import type { EndorseErrorOptions } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';

/** Codes of {@link RegistrarError}. */
export type RegistrarErrorCode = 'ERR_REGISTRAR_LISTEN' | 'ERR_REGISTRAR_CA';

/** The registrar cannot serve: its port cannot be had (`ERR_REGISTRAR_LISTEN`), or its CA not be used (`ERR_REGISTRAR_CA`). */
export class RegistrarError extends EndorseError {
  readonly fault = 'local';
  readonly retryable = false;
  readonly code: RegistrarErrorCode;

  constructor(code: RegistrarErrorCode, message: string, options: EndorseErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}
