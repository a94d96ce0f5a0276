import type { EndorseErrorOptions } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';

/** Codes of {@link StoreError}. */
export type StoreErrorCode =
  | 'ERR_STORE_OPEN'
  | 'ERR_STORE_DRIVER'
  | 'ERR_STORE_SCHEMA'
  | 'ERR_STORE_UNAVAILABLE'
  | 'ERR_STORE_CLOSED';

/**
 * The credential store cannot be used: it cannot be opened (`ERR_STORE_OPEN`), its driver is not installed
 * (`ERR_STORE_DRIVER`), a newer version made its tables (`ERR_STORE_SCHEMA`), the database is away
 * (`ERR_STORE_UNAVAILABLE`, retryable) or the store was closed (`ERR_STORE_CLOSED`).
 */
export class StoreError extends EndorseError {
  readonly fault = 'local';
  readonly code: StoreErrorCode;
  readonly retryable: boolean;

  constructor(code: StoreErrorCode, message: string, options: EndorseErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.retryable = code === 'ERR_STORE_UNAVAILABLE';
  }
}
