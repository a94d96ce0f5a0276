import type { TpmExecutorOptions } from '@endorse/security-tpm';
import { Tpm } from './tpm.ts';
import type { TpmSource } from './tpm.ts';

/** Options of {@link createTss}; those of the executor bound time-outs, retries and waiting. */
export interface TssOptions extends TpmExecutorOptions {
  /**
   * Where the TPM is: an address (`device:`, `tbs:`, `swtpm://host:port`, `swtpm+unix:///path`, `mssim://host:port`),
   * an open device, which stays its owner's, or a device of tss.js's kind.
   */
  readonly tpm: TpmSource;
}

/**
 * Opens a TPM for all of TPM 2.0. Dispose of the result (`await using`, or `close()`).
 *
 * Rejects with `ERR_INVALID_ARGUMENT` for an unusable address, `ERR_TPM_UNREACHABLE`, `ERR_TPM_BUSY`,
 * `ERR_TPM_PERMISSION`, `ERR_TPM_TIMEOUT`, `ERR_TPM_IO`, or the reason of `options.signal`.
 */
export async function createTss({ tpm: source, ...options }: TssOptions): Promise<Tpm> {
  const tpm = new Tpm(source, undefined, undefined, options);
  await tpm.open();
  return tpm;
}
