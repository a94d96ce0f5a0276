import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

/** Where `fuzz.md` and the figures of each group, `fuzz/<name>.json`, go: `ENDORSE_FUZZ_REPORTS`, else `reports`. */
function reportsFolder(): string {
  const folder = process.env['ENDORSE_FUZZ_REPORTS'] ?? '';
  return folder === '' ? fileURLToPath(new URL('../../../reports', import.meta.url)) : folder;
}

/** Prints a line for the group, keeps its figures, and renders those of all groups into `fuzz.md`. */
export async function writeFuzzReport(group: FuzzGroupReport): Promise<void> {
  const runs = group.outcomes.map((outcome) => outcome.runs);
  const total = runs.reduce((sum, each) => sum + each, 0);
  const least = runs.length === 0 ? 0 : Math.min(...runs);
  const reports = reportsFolder();
  const page = join(reports, 'fuzz.md');
  process.stdout.write(
    `fuzz ${group.name}: ${runs.length} targets, ${total} runs, at least ${least} each, seed ${group.seed} (${page})\n`,
  );
  const folder = join(reports, 'fuzz');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${group.name}.json`), `${JSON.stringify(group, undefined, 2)}\n`);
  // Each group renders all there are, so that the last to end leaves the whole.
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).toSorted();
  const groups = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(join(folder, file), 'utf8')) as FuzzGroupReport),
  );
  await writeFile(page, renderFuzzReport(groups));
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
