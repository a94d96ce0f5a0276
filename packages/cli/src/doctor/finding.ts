/** How bad a finding is. Only `error` makes the doctor fail. */
export type FindingLevel = 'ok' | 'warning' | 'error' | 'skipped';

/** One thing the doctor looked at. */
export interface Finding {
  /** Stable name, for example `tls-trust`. */
  readonly check: string;
  readonly level: FindingLevel;
  /** What was found, in a sentence without a full stop. */
  readonly message: string;
  /** One imperative sentence; present for warnings and errors. */
  readonly remedy?: string;
  /** Code of the error behind it. */
  readonly code?: string;
}
