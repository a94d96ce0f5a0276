import { InvalidArgumentError } from '@endorse/interface';

/** Options of `prepareStateTemplate`. */
export interface TemplateOptions {
  /** Also puts a certificate of the EK into NV, issued by an authority made for it (needs swtpm_setup); default false. */
  readonly endorsementCertificate?: boolean | undefined;
  /** Which of several templates, each with keys of its own, 1 to 100 characters; default `default`. */
  readonly variant?: string | undefined;
  /** Where templates are kept; default a directory of the current user in the system's temporary directory. */
  readonly cacheDirectory?: string | undefined;
  /** Program to start; default `swtpm`, found on the `PATH`. */
  readonly executable?: string | undefined;
  /** Longest time until the TPM answers, in milliseconds, 1 to 600,000; default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Aborts; the promise then rejects with `signal.reason` and nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `startTpmSimulator`. */
export interface TpmSimulatorOptions extends TemplateOptions {
  /** Starts from a copy of this state directory; default a TPM fresh from the factory. Not together with a template. */
  readonly stateFrom?: string | undefined;
  /** Starts from the template of `prepareStateTemplate`, EK and SRK persisted; implied by `endorsementCertificate`; default false. */
  readonly provisioned?: boolean | undefined;
  /** `unix` (default) for a socket in a fresh directory, `tcp` for two neighbouring ports of 127.0.0.1. */
  readonly address?: 'unix' | 'tcp' | undefined;
}

/** Default of `timeoutMs`. */
export const defaultTimeoutMs = 10_000;
const maxTimeoutMs = 600_000;
const maxVariantCharacters = 100;

/** Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for options nobody can follow. */
export function checkOptions(options: TpmSimulatorOptions): void {
  const { address, stateFrom, provisioned, endorsementCertificate, variant, timeoutMs } = options;
  if (address !== undefined && address !== 'unix' && address !== 'tcp') {
    throw new InvalidArgumentError('options.address', "must be 'unix' or 'tcp'");
  }
  if (stateFrom !== undefined && (provisioned === true || endorsementCertificate === true)) {
    throw new InvalidArgumentError('options.stateFrom', 'and a template exclude each other');
  }
  if (variant !== undefined && !(variant.length >= 1 && variant.length <= maxVariantCharacters)) {
    throw new InvalidArgumentError('options.variant', `must have 1 to ${maxVariantCharacters} characters`);
  }
  if (
    timeoutMs !== undefined &&
    !(Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= maxTimeoutMs)
  ) {
    throw new InvalidArgumentError(
      'options.timeoutMs',
      'must be an integer from 1 to 600,000',
      'ERR_OUT_OF_RANGE',
    );
  }
}
