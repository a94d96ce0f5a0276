import type { JsonValue } from '@endorse/interface';

/** What came of a step. */
export type StepResult = 'changed' | 'unchanged' | 'skipped' | 'not-applicable' | 'pending';

/** What a step reports. */
export interface StepOutcome {
  readonly result: StepResult;
  /** One phrase for people, without secrets. */
  readonly detail: string;
  /** Values for programs, without secrets. */
  readonly facts?: Readonly<Record<string, JsonValue>>;
}

/** What every step takes beside its own. */
export interface StepOptions {
  readonly signal: AbortSignal;
  /** Called before each write with what it will do; a journal writes it down. Default: nothing. */
  readonly onWrite?: ((what: string) => Promise<void>) | undefined;
}
