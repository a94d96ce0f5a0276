import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, BenchReport } from '../../bench/bench.ts';
import { benches } from '../../bench/registry.ts';

/** Reports as a run writes them, one for each bench; the figures are rounded. */
export const fixtures = fileURLToPath(new URL('reports', import.meta.url));

/** The report of a bench out of {@link fixtures}. */
export async function readFixture(bench: Bench<unknown>): Promise<BenchReport<unknown>> {
  return JSON.parse(await readFile(join(fixtures, `${bench.name}.json`), 'utf8')) as BenchReport<unknown>;
}

/** A checkout with nothing but a README, the page of the benchmarks, a foreign picture and reports. */
export async function makeCheckout(): Promise<
  AsyncDisposable & { readonly root: string; readonly reports: string }
> {
  const root = await mkdtemp(join(tmpdir(), 'endorse-bench-documents-'));
  await mkdir(join(root, 'docs/images'), { recursive: true });
  await cp(fixtures, join(root, 'reports'), { recursive: true });
  await writeFile(join(root, 'README.md'), `# Head\n\n${section('bench')}\n\nTail\n`);
  const sections = benches.map(({ name }) => section(`bench-${name}`));
  await writeFile(
    join(root, 'docs/benchmarks.md'),
    `# Head\n\n${sections.join('\n\nBetween\n\n')}\n\nTail\n`,
  );
  await writeFile(join(root, 'docs/images/other.svg'), '<svg/>');
  return {
    root,
    reports: join(root, 'reports'),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

function section(name: string): string {
  return `<!-- begin: ${name} -->\n\nold figures\n\n<!-- end: ${name} -->`;
}

/** Every file of a folder with its text. */
export async function readTree(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const)));
}
