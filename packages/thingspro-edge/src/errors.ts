import { EndorseError } from '@endorse/interface';
import type { EndorseErrorOptions, ErrorFault } from '@endorse/interface';

/** Codes of {@link GatewayError}. */
export type GatewayErrorCode =
  | 'ERR_GATEWAY_SIGN_IN_REFUSED'
  | 'ERR_GATEWAY_LOCKED'
  | 'ERR_GATEWAY_SESSION_LIMIT'
  | 'ERR_GATEWAY_SESSION_EXPIRED'
  | 'ERR_GATEWAY_FORBIDDEN'
  | 'ERR_GATEWAY_BUSY'
  | 'ERR_GATEWAY_NO_TPM'
  | 'ERR_GATEWAY_NO_ENDORSEMENT_KEY'
  | 'ERR_GATEWAY_REFUSED'
  | 'ERR_GATEWAY_NOT_FOUND'
  | 'ERR_GATEWAY_UNAVAILABLE'
  | 'ERR_GATEWAY_OTHER';

/** A gateway answered, and its answer was no. Messages quote what the gateway said, never what was sent to it. */
export class GatewayError extends EndorseError {
  readonly code: GatewayErrorCode;
  readonly fault: ErrorFault;
  readonly retryable: boolean;
  /** HTTP status of the answer; 0 when the answer was a success that lacked what was asked for. */
  readonly status: number;

  constructor(
    code: GatewayErrorCode,
    message: string,
    details: { readonly status: number; readonly retryable?: boolean },
    options: EndorseErrorOptions = {},
  ) {
    super(message, { ...options, remedy: options.remedy ?? remedies[code] });
    this.code = code;
    this.fault = callerFaults.has(code) ? 'caller' : 'peer';
    this.retryable = details.retryable ?? retryableCodes.has(code);
    this.status = details.status;
  }
}

const callerFaults: ReadonlySet<GatewayErrorCode> = new Set([
  'ERR_GATEWAY_SIGN_IN_REFUSED',
  'ERR_GATEWAY_LOCKED',
  'ERR_GATEWAY_REFUSED',
]);

const retryableCodes: ReadonlySet<GatewayErrorCode> = new Set([
  'ERR_GATEWAY_BUSY',
  'ERR_GATEWAY_UNAVAILABLE',
]);

const remedies: Readonly<Record<GatewayErrorCode, string | undefined>> = {
  ERR_GATEWAY_SIGN_IN_REFUSED:
    'Give the right name and password of this gateway; it counts failures and locks the account, so do not guess.',
  ERR_GATEWAY_LOCKED:
    'Wait until the gateway lifts the lock (10 minutes by default), then use the right password.',
  ERR_GATEWAY_SESSION_LIMIT: 'End sessions of this user on the gateway, or wait until they expire.',
  ERR_GATEWAY_SESSION_EXPIRED: 'Find out who ends the sessions of this user, then try again.',
  ERR_GATEWAY_FORBIDDEN: 'Sign in as a user with the role Administrator.',
  ERR_GATEWAY_BUSY: 'Try again in a few seconds.',
  ERR_GATEWAY_NO_TPM: 'Provision this gateway in another way: it has no TPM.',
  ERR_GATEWAY_NO_ENDORSEMENT_KEY:
    'Check that the gateway has a TPM and that its software is 2.2.0 or newer, then restart it.',
  ERR_GATEWAY_REFUSED: 'Read what the gateway says is wrong with the value and correct it.',
  ERR_GATEWAY_NOT_FOUND: 'Check that the profile fits the model of this gateway.',
  ERR_GATEWAY_UNAVAILABLE: 'Try again; restart the gateway if it stays like this.',
  ERR_GATEWAY_OTHER: undefined,
};

/** Codes of {@link CertificatePinError}. */
export type CertificatePinErrorCode = 'ERR_PIN_UNKNOWN' | 'ERR_PIN_MISMATCH' | 'ERR_PINS_FILE';

/**
 * The certificate of a gateway is not the one that is trusted, or it cannot be told which is.
 *
 * Thrown before anything was sent over the connection. A hard stop: never retryable.
 */
export class CertificatePinError extends EndorseError {
  readonly code: CertificatePinErrorCode;
  readonly fault: ErrorFault;
  readonly retryable = false;
  /** Name the pin is kept under; empty for trouble with the pins file as a whole. */
  readonly pinName: string;
  /** SHA-256 of the certificate that the gateway showed, 64 hex digits; undefined where there was none. */
  readonly fingerprint: string | undefined;

  constructor(
    code: CertificatePinErrorCode,
    message: string,
    details: { readonly pinName: string; readonly fingerprint?: string },
    options: EndorseErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.fault = code === 'ERR_PINS_FILE' ? 'local' : 'transport';
    this.pinName = details.pinName;
    this.fingerprint = details.fingerprint;
  }
}
