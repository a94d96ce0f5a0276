/** What a run did, line by line: append-only, one JSON object a line, no secrets. */
import type { JsonValue } from '@endorse/interface';
import type { PlanProblem, StepName } from '../plan/plan.ts';
import type { StepResult } from '../steps/step-outcome.ts';

/** How a device ends; exactly one of these. */
export type DeviceOutcome =
  | 'provisioned'
  | 'unchanged'
  | 'pending'
  | 'skipped'
  | 'failed'
  | 'conflict'
  | 'blocked'
  | 'interrupted'
  | 'not-started';

/** Every outcome, in the order reports count them. */
export const deviceOutcomes: readonly DeviceOutcome[] = Object.freeze([
  'provisioned',
  'unchanged',
  'pending',
  'skipped',
  'failed',
  'conflict',
  'blocked',
  'interrupted',
  'not-started',
]);

/** What is written down. `at` is in milliseconds since 1970. */
export type JournalEntry =
  | {
      readonly event: 'run-started';
      readonly at: number;
      readonly runId: string;
      readonly planDigest: string;
      /** Devices of the plan. */
      readonly deviceCount: number;
    }
  | { readonly event: 'run-resumed'; readonly at: number; readonly planDigest: string }
  | { readonly event: 'device-started'; readonly at: number; readonly device: string }
  | {
      readonly event: 'step-started';
      readonly at: number;
      readonly device: string;
      readonly step: StepName;
      /** 1 for the first attempt. */
      readonly attempt: number;
    }
  /** A write is about to be made; until `step-finished`, nobody knows whether it was. */
  | {
      readonly event: 'write-started';
      readonly at: number;
      readonly device: string;
      readonly step: StepName;
      readonly what: string;
    }
  | {
      readonly event: 'step-finished';
      readonly at: number;
      readonly device: string;
      readonly step: StepName;
      readonly result: StepResult;
      readonly detail: string;
      readonly facts?: Readonly<Record<string, JsonValue>>;
      readonly durationMs: number;
    }
  | {
      readonly event: 'step-failed';
      readonly at: number;
      readonly device: string;
      readonly step: StepName;
      /** 1 for the first attempt. */
      readonly attempt: number;
      readonly problem: PlanProblem;
      /** True when it is attempted again. */
      readonly isRepeated: boolean;
    }
  | {
      readonly event: 'device-finished';
      readonly at: number;
      readonly device: string;
      readonly outcome: DeviceOutcome;
      readonly problem?: PlanProblem;
    }
  | {
      readonly event: 'run-finished';
      readonly at: number;
      /** True when it ended before every device was begun. */
      readonly isStopped: boolean;
    };

/** An entry before it has its time. */
export type JournalEvent = DistributiveOmit<JournalEntry, 'at'>;

type DistributiveOmit<Union, Names extends PropertyKey> = Union extends unknown ? Omit<Union, Names> : never;

/** Where a run writes down what it does. */
export interface Journal {
  /** What was written before this run resumed; empty for a new journal. */
  readonly earlier: readonly JournalEntry[];
  /** Resolves once the entry survives a crash. Rejects with `ERR_JOURNAL_WRITE`; then nothing may be written anywhere else either. */
  append(entry: JournalEntry): Promise<void>;
}
