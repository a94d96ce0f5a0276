import { EndorseError } from '@endorse/interface';
import type { EndorseErrorOptions } from '@endorse/interface';

/** Codes of {@link KeySourceError}. */
export type KeySourceErrorCode =
  | 'ERR_KEY_MISSING'
  | 'ERR_KEY_UNREADABLE'
  | 'ERR_KEY_FILE_MODE'
  | 'ERR_KEY_NOT_BASE64'
  | 'ERR_KEY_LENGTH';

/** The place a key was to come from has none, or none that can be used. Never says what was found there. */
export class KeySourceError extends EndorseError {
  readonly code: KeySourceErrorCode;
  readonly fault = 'caller';
  readonly retryable = false;
  /** Name of the environment variable, or path of the file. */
  readonly source: string;

  constructor(code: KeySourceErrorCode, source: string, message: string, options: EndorseErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.source = source;
  }
}
