import { isEndorseError } from '@endorse/interface';

/** What the machine needs to know about an error; plain data. */
export interface Failure {
  /** Code of the error, for progress reports. */
  readonly code: string;
  /**
   * What it means for the run: the token was refused (`unauthorized`), the operation or registration is not known
   * (`not-found`), the connection is gone or in doubt (`connection`), or anything else (`other`).
   */
  readonly kind: 'unauthorized' | 'not-found' | 'connection' | 'other';
  /** True when the same request may succeed later. */
  readonly retryable: boolean;
  /** Pause the service asked for, in milliseconds; not yet capped. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * Sums up any thrown value. Only errors of Endorse can be retryable: what a
 * foreign part throws is a defect that repeating would not mend.
 */
export function describeFailure(error: unknown): Failure {
  if (!isEndorseError(error)) return { code: foreignCode(error), kind: 'other', retryable: false };
  const { code, retryable } = error;
  switch (error.fault) {
    case 'transport':
    case 'deadline':
      return { code, kind: 'connection', retryable };
    case 'service': {
      const retryAfterMs = 'retryAfterMs' in error ? error.retryAfterMs : undefined;
      return {
        code,
        kind: serviceKind(code),
        retryable,
        retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : undefined,
      };
    }
    case 'caller':
    case 'local':
    case 'peer':
    case 'tpm':
      return { code, kind: 'other', retryable };
    default:
      error satisfies never;
      return { code, kind: 'other', retryable };
  }
}

function serviceKind(code: string): Failure['kind'] {
  if (code === 'ERR_SERVICE_UNAUTHORIZED') return 'unauthorized';
  return code === 'ERR_SERVICE_NOT_FOUND' ? 'not-found' : 'other';
}

function foreignCode(error: unknown): string {
  if (!(error instanceof Error)) return 'ERR_UNKNOWN';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
