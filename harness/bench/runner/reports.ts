import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, BenchReport } from '../bench.ts';

/** Writes the report of a bench and its plots, and removes the plots of the report before. */
export async function writeReport(
  bench: Bench<unknown>,
  report: BenchReport<unknown>,
  folder: string,
): Promise<void> {
  const plots = bench.plots(report.figures);
  await mkdir(folder, { recursive: true });
  for (const file of await readdir(folder)) {
    if (file.startsWith(`${bench.name}-`) && file.endsWith('.svg')) await rm(join(folder, file));
  }
  await writeFile(join(folder, `${bench.name}.json`), `${JSON.stringify(report, undefined, 2)}\n`);
  for (const { name, svg } of plots) {
    await writeFile(join(folder, `${bench.name}-${name}.svg`), svg);
  }
}

/** Reads the report of a bench. Rejects when there is none. */
export async function readReport(bench: Bench<unknown>, folder: string): Promise<BenchReport<unknown>> {
  const file = join(folder, `${bench.name}.json`);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`there is no report of ${bench.name}; npm run bench -- ${bench.name} makes one`, {
      cause,
    });
  });
  return JSON.parse(text) as BenchReport<unknown>;
}

/** Reads the report of a bench for a document. Rejects when there is none, or one of `--quick`. */
export async function readFullReport(bench: Bench<unknown>, folder: string): Promise<BenchReport<unknown>> {
  const report = await readReport(bench, folder);
  if (report.size !== 'full') throw new Error(`the report of ${bench.name} is one of --quick`);
  return report;
}
