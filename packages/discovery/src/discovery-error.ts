import type { EndorseErrorOptions } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';

/** Codes of {@link DiscoveryError}. */
export type DiscoveryErrorCode = 'ERR_DISCOVERY_NO_INTERFACE' | 'ERR_DISCOVERY_SOCKET';

/** Discovery cannot begin: there is no interface to ask on, or none of the sockets could be opened. */
export class DiscoveryError extends EndorseError {
  readonly fault = 'local';
  readonly code: DiscoveryErrorCode;
  /** True for sockets: another program may hold the port for now. */
  readonly retryable: boolean;

  constructor(code: DiscoveryErrorCode, message: string, options: EndorseErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.retryable = code === 'ERR_DISCOVERY_SOCKET';
  }
}
