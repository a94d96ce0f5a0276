/**
 * Runs fuzz targets for a time. Inputs come in batches of one seed each, so that what was found is found again from
 * the seed of its batch, however fast the machine is then.
 */
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import type { FuzzBudget } from './fuzz-budget.ts';
import { readFuzzBudget } from './fuzz-budget.ts';
import type { FuzzOutcome } from './fuzz-report.ts';
import { writeFuzzReport } from './fuzz-report.ts';

/** Something that takes whatever arrives. */
export interface FuzzTarget {
  /** Unique in its group, for example `protocol decodeQuery`. */
  readonly name: string;
}

/** Targets that share a budget; the targets of one test file. */
export interface FuzzGroup<Target extends FuzzTarget> {
  /** Those that the budget names. */
  readonly targets: readonly Target[];
  /** How long the test of one target may take, in milliseconds: its share, and time to find the least of what it found. */
  readonly timeoutMs: number;
  /**
   * Checks a property of a target: one batch at least, then more until its share of the time is used. Rejects with the
   * least input that fails, and how to find it again.
   */
  run<Inputs>(target: Target, batchRuns: number, property: fc.IRawProperty<Inputs>): Promise<void>;
  /** Prints what was run, and writes it to `reports/fuzz.md`. */
  report(): Promise<void>;
}

/** Makes a group. Throws `ERR_OUT_OF_RANGE` for a budget that is none. */
export function createFuzzGroup<Target extends FuzzTarget>(
  name: string,
  all: readonly Target[],
  budget: FuzzBudget = readFuzzBudget(),
): FuzzGroup<Target> {
  const wanted = budget.target.toLowerCase();
  const targets = all.filter((target) => target.name.toLowerCase().includes(wanted));
  const shareMs = (budget.seconds * 1_000) / Math.max(1, targets.length);
  const outcomes: FuzzOutcome[] = [];
  return {
    targets,
    timeoutMs: 60_000 + 2 * shareMs,
    run: async (target, batchRuns, property) => {
      const startedAt = performance.now();
      let runs = 0;
      for (let batch = 0; batch === 0 || performance.now() - startedAt < shareMs; batch += 1) {
        const seed = (budget.seed + batch) % 2 ** 31;
        const details = await fc.check(property, { numRuns: batchRuns, seed });
        runs += details.numRuns;
        if (details.failed) throw failure(target, seed, details);
        // The test runner is to be heard between two batches.
        await setImmediate();
      }
      outcomes.push({ target: target.name, runs, elapsedMs: performance.now() - startedAt });
    },
    report: async () => {
      if (targets.length > 0) await writeFuzzReport({ name, ...budget, outcomes });
    },
  };
}

function failure<Inputs>(target: FuzzTarget, seed: number, details: fc.RunDetails<Inputs>): Error {
  const again = `npm run fuzz -- --target '${target.name}' --seed ${seed} --seconds 0`;
  return new Error(`${target.name} failed; again: ${again}\n${fc.defaultReportMessage(details) ?? ''}`, {
    cause: details.errorInstance,
  });
}
