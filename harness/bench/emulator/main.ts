/**
 * `npm run bench:emulator`: the emulator in memory and on SQLite, from one device to a thousand and from one enrollment
 * to a million, in one run. Load comes from other processes.
 *
 * Prints JSON to `reports/bench/emulator.json` and a table to standard output; `--update-docs` puts table and plot
 * into `docs/`. `--render` measures nothing and renders the JSON of the last run. Figures are never asserted on: machines are noisy.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installOurs } from '../projects.ts';
import type { EmulatorReport } from './report.ts';
import { renderReport } from './report.ts';
import { measureStarts } from './starts.ts';
import { measureLoad } from './load.ts';
import { measureSync } from './sync.ts';
import { plotScale } from './plot.ts';
import { measureScale } from './scale.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    'update-docs': { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
  },
});
const size = values.quick
  ? { starts: 2, concurrency: [1, 20], durationMs: 1000, enrollments: [1, 100, 10_000] }
  : {
      starts: 9,
      concurrency: [1, 100, 1000],
      durationMs: 8000,
      enrollments: [1, 10, 100, 1000, 10_000, 100_000, 1_000_000],
    };
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function measure(): Promise<EmulatorReport> {
  say('installing the packed emulator into an empty project');
  await using project = await installOurs(['@endorse/emulator']);
  const { actors } = project;
  const syncMs = await measureSync();
  say('starting fresh processes');
  const starts = {
    memory: await measureStarts(actors, 'memory', size.starts),
    sqlite: await measureStarts(actors, 'sqlite', size.starts),
  };
  say('loading the emulator from other processes');
  const { concurrency, durationMs } = size;
  const load = await measureLoad({ actors, concurrency, durationMs, say });
  say('letting enrollments grow');
  const scale = {
    memory: await measureScale('memory', size.enrollments),
    sqlite: await measureScale('sqlite', size.enrollments),
  };
  return {
    machine: { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length },
    syncMs,
    starts,
    load,
    scale,
  };
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const reportFile = join(root, 'reports/bench/emulator.json');
const report = values.render
  ? (JSON.parse(await readFile(reportFile, 'utf8')) as EmulatorReport)
  : await measure();
await mkdir(join(root, 'reports/bench'), { recursive: true });
await writeFile(reportFile, `${JSON.stringify(report, undefined, 2)}\n`);
const text = renderReport(report);
process.stdout.write(`${text}\n`);
if (values['update-docs']) await updateDocs(text);

/** Replaces what stands between the markers, and the plot. */
async function updateDocs(figures: string): Promise<void> {
  const file = join(root, 'docs/emulator-figures.md');
  const document = await readFile(file, 'utf8');
  const begin = '<!-- begin: emulator-figures -->';
  const end = '<!-- end: emulator-figures -->';
  const [head, rest] = document.split(begin);
  const tail = rest?.split(end)[1];
  if (head === undefined || tail === undefined) throw new Error(`${file} has lost its markers`);
  await writeFile(file, `${head}${begin}\n\n${figures}\n\n${end}${tail}`);
  await writeFile(join(root, 'docs/emulator-scale.svg'), plotScale(report.scale));
}
