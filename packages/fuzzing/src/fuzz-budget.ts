import { randomInt } from 'node:crypto';
import { InvalidArgumentError } from '@endorse/interface';

/** How long, from which seed and what is fuzzed. */
export interface FuzzBudget {
  /** For each group of targets, shared by them evenly. */
  readonly seconds: number;
  /** Of the first batch of every target; the next batches count up from it. */
  readonly seed: number;
  /** Part of the names of the targets to run; empty for all. */
  readonly target: string;
}

/** Short enough for every run of the tests; each target has its least number of runs besides. */
const defaultSeconds = 4;

const maxSeconds = 86_400;
const maxSeed = 2 ** 31 - 1;

/**
 * Reads `ENDORSE_FUZZ_SECONDS` (0 to 86,400; default 4), `ENDORSE_FUZZ_SEED` (0 to 2,147,483,647; default a new one)
 * and `ENDORSE_FUZZ_TARGET`. Throws `ERR_OUT_OF_RANGE`.
 */
export function readFuzzBudget(environment: NodeJS.ProcessEnv = process.env): FuzzBudget {
  return {
    seconds: readInteger(environment, 'ENDORSE_FUZZ_SECONDS', maxSeconds) ?? defaultSeconds,
    seed: readInteger(environment, 'ENDORSE_FUZZ_SEED', maxSeed) ?? randomInt(maxSeed),
    target: environment['ENDORSE_FUZZ_TARGET'] ?? '',
  };
}

function readInteger(environment: NodeJS.ProcessEnv, name: string, maximum: number): number | undefined {
  const text = environment[name];
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,10}$/.test(text) && Number(text) <= maximum) return Number(text);
  throw new InvalidArgumentError(name, `must be a whole number from 0 to ${maximum}`, 'ERR_OUT_OF_RANGE');
}
