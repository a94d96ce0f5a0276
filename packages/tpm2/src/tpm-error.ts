import { EndorseError } from '@endorse/interface';
import type { DecodedResponseCode, ResponseCodeName } from './response-codes/decode.ts';
import { decodeResponseCode, formatResponseCode } from './response-codes/decode.ts';

/** Codes of {@link TpmError}: `ERR_TPM_` and the name of the response code, for example `ERR_TPM_INTEGRITY`. */
export type TpmErrorCode = `ERR_TPM_${ResponseCodeName}`;

/**
 * The TPM answered a command with a response code other than success.
 * `retryable` is true when the same command may succeed later without any change.
 */
export class TpmError extends EndorseError {
  /** `ERR_TPM_` and the name of the response code. */
  readonly code: TpmErrorCode;
  /** Always the TPM's answer. */
  readonly fault = 'tpm';
  /** True for warnings that time or freed memory cures. */
  readonly retryable: boolean;
  /** Name of the command, without `TPM2_`, for example `ActivateCredential`. */
  readonly command: string;
  /** The response code as it came, 32 bits. */
  readonly rc: number;
  /** The response code taken apart; not enumerable, so that logging the error stays short. */
  declare readonly decoded: DecodedResponseCode;

  constructor(command: string, rc: number, options: { readonly cause?: unknown } = {}) {
    const decoded = decodeResponseCode(rc);
    super(`${command} failed with ${formatResponseCode(decoded)}`, { ...options, remedy: decoded.remedy });
    this.code = `ERR_TPM_${decoded.name}`;
    this.retryable = decoded.retry !== 'none' && decoded.retry !== 'start-up';
    this.command = command;
    this.rc = rc;
    Object.defineProperty(this, 'decoded', { value: decoded, enumerable: false });
  }
}
