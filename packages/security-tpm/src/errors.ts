import { EndorseError } from '@endorse/interface';
import type { EndorseErrorOptions, ErrorFault } from '@endorse/interface';

/** Codes of {@link TpmDeviceError}. */
export type TpmDeviceErrorCode =
  | 'ERR_TPM_UNREACHABLE'
  | 'ERR_TPM_BUSY'
  | 'ERR_TPM_PERMISSION'
  | 'ERR_TPM_TIMEOUT'
  | 'ERR_TPM_IO'
  | 'ERR_TPM_CLOSED'
  | 'ERR_TPM_QUEUE_FULL'
  | 'ERR_TPM_DRIVER_MISSING';

/** What a {@link TpmDeviceError} carries beside its message. */
export interface TpmDeviceErrorOptions extends EndorseErrorOptions {
  /** True when the TPM may have executed the command; then it must not be repeated blindly. Default false. */
  readonly commandSent?: boolean;
}

const retryableDeviceCodes: readonly TpmDeviceErrorCode[] = [
  'ERR_TPM_UNREACHABLE',
  'ERR_TPM_BUSY',
  'ERR_TPM_TIMEOUT',
  'ERR_TPM_IO',
  'ERR_TPM_QUEUE_FULL',
];

/** The way to the TPM failed: no device, no permission, busy, silent, or a broken channel. */
export class TpmDeviceError extends EndorseError {
  readonly code: TpmDeviceErrorCode;
  readonly fault: ErrorFault;
  readonly retryable: boolean;
  /** True when the TPM may have executed the command in question. */
  readonly commandSent: boolean;

  constructor(code: TpmDeviceErrorCode, message: string, options: TpmDeviceErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.fault = code === 'ERR_TPM_TIMEOUT' ? 'deadline' : 'tpm';
    this.retryable = retryableDeviceCodes.includes(code);
    this.commandSent = options.commandSent ?? false;
  }
}

/** Codes of {@link TpmKeyError}. */
export type TpmKeyErrorCode =
  | 'ERR_TPM_KEY_TEMPLATE'
  | 'ERR_TPM_KEY_MISSING'
  | 'ERR_TPM_KEY_NOT_CREATABLE'
  | 'ERR_TPM_NAME_MISMATCH'
  | 'ERR_TPM_EK_NOT_PINNED'
  | 'ERR_TPM_NO_IDENTITY_KEY'
  | 'ERR_TPM_HANDLE_OCCUPIED';

/** A key in the TPM is not what it has to be: absent, foreign, or not the one it claims to be. */
export class TpmKeyError extends EndorseError {
  readonly code: TpmKeyErrorCode;
  readonly fault = 'tpm';
  readonly retryable = false;
  /** The persistent handle it is about, for example 0x81000001. */
  readonly handle: number | undefined;

  constructor(
    code: TpmKeyErrorCode,
    message: string,
    options: EndorseErrorOptions & { readonly handle?: number } = {},
  ) {
    super(message, options);
    this.code = code;
    this.handle = options.handle;
  }
}

/**
 * A response whose session HMAC is wrong: somebody between us and the TPM changed it, or it belongs to another command.
 * Nothing of the response was used.
 */
export class TpmResponseForgedError extends EndorseError {
  readonly code = 'ERR_TPM_RESPONSE_FORGED';
  readonly fault = 'tpm';
  readonly retryable = false;
  /** Name of the command, without `TPM2_`. */
  readonly command: string;

  constructor(command: string) {
    super(`the response to ${command} does not carry the HMAC of its session`, {
      remedy:
        'Look for what sits between this program and the TPM: a defective driver, or an interposer on the bus.',
    });
    this.command = command;
  }
}

/** The activation blob cannot be used; noticed before the TPM was touched. */
export class ActivationBlobError extends EndorseError {
  readonly code = 'ERR_TPM_BLOB';
  readonly fault = 'peer';
  readonly retryable = false;
}

/** Codes of {@link EndorsementCertificateError}. */
export type EndorsementCertificateErrorCode =
  | 'ERR_TPM_CERTIFICATE_MISSING'
  | 'ERR_TPM_CERTIFICATE_MALFORMED'
  | 'ERR_TPM_CERTIFICATE_MISMATCH'
  | 'ERR_TPM_CERTIFICATE_CHAIN'
  | 'ERR_TPM_CERTIFICATE_EXPIRED'
  | 'ERR_TPM_CERTIFICATE_USAGE';

/** The endorsement certificate is absent, unreadable, of another key, or not to be trusted. */
export class EndorsementCertificateError extends EndorseError {
  readonly code: EndorsementCertificateErrorCode;
  readonly fault = 'tpm';
  readonly retryable = false;

  constructor(code: EndorsementCertificateErrorCode, message: string, options: EndorseErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

/** `0x81000001`: how handles are written in messages. */
export function formatHandle(handle: number): string {
  return `0x${handle.toString(16).padStart(8, '0')}`;
}
