/** One command that was sent, as the trace hook hears of it. Holds no parameter and no secret. */
export interface TpmTrace {
  /** Name of the command, without `TPM2_`, for example `ActivateCredential`. */
  readonly command: string;
  /** From submission to the whole response, in milliseconds with fractions. */
  readonly durationMs: number;
  /** The response code; 0 is success, -1 that no response came. */
  readonly responseCode: number;
  /** 1 for the first submission, 2 for the first repetition, and so on. */
  readonly attempt: number;
  /** When it was submitted, milliseconds since 1970. */
  readonly at: number;
}

/** Receives a line for each submission; must return at once. An exception it throws is ignored. */
export type TpmTraceListener = (trace: TpmTrace) => void;
