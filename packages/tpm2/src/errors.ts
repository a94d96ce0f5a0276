import { EndorseError } from '@endorse/interface';
import type { ProtocolEvidence } from '@endorse/interface';

/**
 * Bytes that are not what they claim to be: truncated, over-long, or with a value the specification does not have.
 * The only error a decoder of this package throws for bytes, whatever they are.
 */
export class TpmDecodeError extends EndorseError {
  /** Always `ERR_TPM_MALFORMED`. */
  readonly code = 'ERR_TPM_MALFORMED';
  /** Whoever made the bytes: a TPM, a service, a file. */
  readonly fault = 'peer';
  /** Never: the same bytes stay wrong. */
  readonly retryable = false;
  /** Structure and field, for example `TPMT_PUBLIC.nameAlg`. */
  readonly path: string;
  /** Offset of the field inside the structure that was being decoded, in bytes. */
  readonly offset: number;
  /** The same place in the shape that remote protocol errors use; not enumerable. */
  declare readonly evidence: ProtocolEvidence;

  constructor(path: string, offset: number, problem: string, options: { readonly cause?: unknown } = {}) {
    super(`${path} ${problem}`, options);
    this.path = path;
    this.offset = offset;
    Object.defineProperty(this, 'evidence', { value: Object.freeze({ path }), enumerable: false });
  }
}
