import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import type { FuzzBudget } from './fuzz-budget.ts';

/** What was run of a target. */
export interface FuzzOutcome {
  readonly target: string;
  readonly runs: number;
  readonly elapsedMs: number;
}

/** What was run of a group. */
export interface FuzzGroupReport extends FuzzBudget {
  readonly name: string;
  readonly outcomes: readonly FuzzOutcome[];
}

const reports = new URL('../../../reports/', import.meta.url);

/** Prints a line for the group, keeps its figures, and renders those of all groups into `reports/fuzz.md`. */
export async function writeFuzzReport(group: FuzzGroupReport): Promise<void> {
  const runs = group.outcomes.map((outcome) => outcome.runs);
  const total = runs.reduce((sum, each) => sum + each, 0);
  const least = runs.length === 0 ? 0 : Math.min(...runs);
  process.stdout.write(
    `fuzz ${group.name}: ${runs.length} targets, ${total} runs, at least ${least} each, seed ${group.seed} (reports/fuzz.md)\n`,
  );
  const folder = new URL('fuzz/', reports);
  await mkdir(folder, { recursive: true });
  await writeFile(new URL(`${group.name}.json`, folder), `${JSON.stringify(group, undefined, 2)}\n`);
  // Each group renders all there are, so that the last to end leaves the whole.
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).toSorted();
  const groups = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(new URL(file, folder), 'utf8')) as FuzzGroupReport),
  );
  await writeFile(new URL('fuzz.md', reports), renderFuzzReport(groups));
}

/** The figures of groups as Markdown. */
export function renderFuzzReport(groups: readonly FuzzGroupReport[]): string {
  const parts = groups.flatMap(({ name, seconds, seed, outcomes }) => [
    `## ${name}`,
    `${seconds} s, seed ${seed}.`,
    [
      '| Target | Runs | ms |',
      '| --- | ---: | ---: |',
      ...outcomes.map(({ target, runs, elapsedMs }) => `| ${target} | ${runs} | ${Math.round(elapsedMs)} |`),
    ].join('\n'),
  ]);
  return `${['# Fuzzing', ...parts].join('\n\n')}\n`;
}
