/** What goes from the reports into README.md and docs/, between the markers `<!-- begin: name -->` and `<!-- end: name -->`. */
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Bench, BenchReport } from '../bench.ts';
import { headlineTable } from '../tables.ts';
import { readFullReport } from './reports.ts';

/** Where documents and reports are. */
export interface DocumentFolders {
  readonly root: string;
  readonly reports: string;
}

/** Puts the headlines of all benches into README.md. Rejects, and changes nothing, when a report is missing. */
export async function updateReadme(
  benches: readonly Bench<unknown>[],
  { root, reports }: DocumentFolders,
): Promise<void> {
  const all = await Promise.all(benches.map((bench) => readFullReport(bench, reports)));
  await replaceSection(join(root, 'README.md'), 'bench', renderHeadlines(benches, all));
}

/** The table of the README, and where its figures are from. Throws when they are from different machines. */
export function renderHeadlines(
  benches: readonly Bench<unknown>[],
  reports: readonly BenchReport<unknown>[],
): string {
  const [first] = reports;
  if (first === undefined) throw new Error('there is no report');
  const lines = benches.flatMap((bench, index) => {
    const report = reports[index];
    if (report?.bench !== bench.name) throw new Error(`there is no report of ${bench.name}`);
    if (!isDeepStrictEqual(report.machine, first.machine)) {
      throw new Error(`${bench.name} was measured on another machine than ${first.bench}`);
    }
    return bench.headlines(report.figures);
  });
  return `${headlineTable(lines)}\n\n${renderOrigin({ ...first, peers: Object.assign({}, ...reports.map(({ peers }) => peers)) })}`;
}

/** Puts tables and plots of benches into `docs/benchmarks.md` and `docs/images/`. */
export async function updateDocs(
  benches: readonly Bench<unknown>[],
  { root, reports }: DocumentFolders,
): Promise<void> {
  const images = join(root, 'docs/images');
  for (const bench of benches) {
    const report = await readFullReport(bench, reports);
    const prefix = `bench-${bench.name}-`;
    for (const file of await readdir(images)) if (file.startsWith(prefix)) await rm(join(images, file));
    const pictures: string[] = [];
    for (const { name, alternative, svg } of bench.plots(report.figures)) {
      await writeFile(join(images, `${prefix}${name}.svg`), svg);
      pictures.push(`![${alternative}](images/${prefix}${name}.svg)`);
    }
    const contents = [...pictures, bench.tables(report.figures), renderOrigin(report)].join('\n\n');
    await replaceSection(join(root, 'docs/benchmarks.md'), `bench-${bench.name}`, contents);
  }
}

/** When, where and against which versions. */
function renderOrigin({ machine, measuredAt, peers }: BenchReport<unknown>): string {
  const { node, cpu, cores, memoryGiB, system } = machine;
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  const against = versions.length === 0 ? '' : ` With ${versions.join(', ')}.`;
  return `Measured on ${measuredAt.slice(0, 10)}, on ${cores} cores (${cpu}), ${memoryGiB} GiB, ${system}, Node.js ${node}.${against}`;
}

async function replaceSection(file: string, name: string, contents: string): Promise<void> {
  const begin = `<!-- begin: ${name} -->`;
  const end = `<!-- end: ${name} -->`;
  const text = await readFile(file, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`${file} has no section between ${begin} and ${end}`);
  await writeFile(file, `${text.slice(0, from + begin.length)}\n\n${contents}\n\n${text.slice(to)}`);
}
