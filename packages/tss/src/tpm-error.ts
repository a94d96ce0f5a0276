import { TpmError as RefusalError } from '@endorse/tpm2';

const formatOne = 0x080;
const formatOneMask = 0x0bf;
const formatZeroMask = 0x97f;

/**
 * The TPM refused a command.
 *
 * Beside what every `ERR_TPM_…` error has (`code`, `rc`, `decoded` with handle, parameter or session, `remedy`) it has
 * the two fields of tss.js's class of this name.
 */
export class TpmError extends RefusalError {
  /** The response code as tss.js shows it, comparable with `TPM_RC`: without the number of the handle, parameter or session. */
  readonly responseCode: number;

  constructor(command: string, rc: number, options: { readonly cause?: unknown } = {}) {
    super(command, rc, options);
    this.responseCode = rc & ((rc & formatOne) === 0 ? formatZeroMask : formatOneMask);
  }

  /** Name of the command; the same as `command`. */
  get tpmCommand(): string {
    return this.command;
  }

  /** The refusal that another copy of the codec reports, as this class. */
  static from(error: RefusalError): TpmError {
    return error instanceof TpmError ? error : new TpmError(error.command, error.rc, { cause: error.cause });
  }
}
