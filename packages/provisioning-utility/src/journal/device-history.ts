/** What a journal says about one device: how far earlier attempts came, and what they changed. */
import type { StepName } from '../plan/plan.ts';
import type { StepResult } from '../steps/step-outcome.ts';
import type { DeviceOutcome, JournalEntry } from './journal.ts';

/** How far one device came. */
export interface DeviceHistory {
  readonly outcome: DeviceOutcome | undefined;
  /** Latest result of each step; `changed` stays, whatever a later look found. */
  readonly results: ReadonlyMap<StepName, StepResult>;
  /** Steps with a write that began and of which nobody knows how it ended. */
  readonly interrupted: ReadonlySet<StepName>;
}

/** Reads the history of every device. */
export function deviceHistories(entries: readonly JournalEntry[]): ReadonlyMap<string, DeviceHistory> {
  const histories = new Map<
    string,
    { outcome: DeviceOutcome | undefined; results: Map<StepName, StepResult>; interrupted: Set<StepName> }
  >();
  for (const entry of entries) {
    if (!('device' in entry)) continue;
    const history = histories.get(entry.device) ?? {
      outcome: undefined,
      results: new Map(),
      interrupted: new Set(),
    };
    histories.set(entry.device, history);
    switch (entry.event) {
      case 'device-started':
        history.outcome = undefined;
        break;
      case 'write-started':
        history.interrupted.add(entry.step);
        break;
      case 'step-finished':
        history.interrupted.delete(entry.step);
        if (history.results.get(entry.step) !== 'changed') history.results.set(entry.step, entry.result);
        break;
      case 'device-finished':
        history.outcome = entry.outcome;
        break;
      case 'step-started':
      case 'step-failed':
        break;
      default:
        entry satisfies never;
    }
  }
  return histories;
}
