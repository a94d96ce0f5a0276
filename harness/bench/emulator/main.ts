/**
 * `npm run bench:emulator`: the emulator in memory and on SQLite, from one device to a thousand and from one enrollment
 * to a million, in one run. Load comes from other processes.
 *
 * Prints JSON to `reports/bench/emulator.json` and a table to standard output; `--update-docs` puts table and plot
 * into `docs/`. `--only scale` (or `load`, `starts`) measures
 * that part and takes the others from the JSON of the last run; `--only none` renders it again. Figures are never asserted on: machines are noisy.
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
    only: { type: 'string', multiple: true, default: ['starts', 'load', 'scale'] },
  },
});
const size = values.quick
  ? { starts: 2, concurrency: [1, 20], durationMs: 1000, enrollments: [1, 100, 10_000] }
  : {
      starts: 9,
      concurrency: [1, 100, 1000],
      durationMs: 5000,
      enrollments: [1, 10, 100, 1000, 10_000, 100_000, 1_000_000],
    };
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const isWanted = (part: string): boolean => values.only.includes(part);

async function measure(last: Partial<EmulatorReport>): Promise<EmulatorReport> {
  await using resources = new AsyncDisposableStack();
  const needsProject = isWanted('starts') || isWanted('load');
  if (needsProject) say('installing the packed emulator into an empty project');
  const actors = needsProject ? resources.use(await installOurs(['@endorse/emulator'])).actors : '';
  const { concurrency, durationMs, enrollments } = size;
  const syncMs = await measureSync();
  const measureBoth = async <Figures>(
    measureOne: (storage: 'memory' | 'sqlite') => Promise<Figures>,
  ): Promise<{ readonly memory: Figures; readonly sqlite: Figures }> => ({
    memory: await measureOne('memory'),
    sqlite: await measureOne('sqlite'),
  });
  const take = async <Part extends 'starts' | 'load' | 'scale'>(
    part: Part,
    doing: string,
    measurePart: () => Promise<EmulatorReport[Part]>,
  ): Promise<EmulatorReport[Part]> => {
    const known = last[part];
    if (!isWanted(part) && known !== undefined) return known;
    say(doing);
    return measurePart();
  };
  return {
    machine: { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length },
    syncMs: isWanted('none') ? (last.syncMs ?? syncMs) : syncMs,
    starts: await take('starts', 'starting fresh processes', () =>
      measureBoth((storage) => measureStarts(actors, storage, size.starts)),
    ),
    load: await take('load', 'loading the emulator from other processes', () =>
      measureLoad({ actors, concurrency, durationMs, say }),
    ),
    scale: await take('scale', 'letting enrollments grow', () =>
      measureBoth((storage) => measureScale(storage, enrollments)),
    ),
  };
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const reportFile = join(root, 'reports/bench/emulator.json');
const lastText = await readFile(reportFile, 'utf8').catch(() => '{}');
const report = await measure(JSON.parse(lastText) as Partial<EmulatorReport>);
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
