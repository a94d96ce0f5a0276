import type { EndorseErrorOptions } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';

/** The command line cannot be followed; nothing was done. Exit code 2. */
export class UsageError extends EndorseError {
  readonly code = 'ERR_USAGE';
  readonly fault = 'caller';
  readonly retryable = false;

  constructor(message: string, options: EndorseErrorOptions = {}) {
    super(message, options);
  }
}
