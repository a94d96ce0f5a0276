/**
 * `npm run bench`: our packages beside the peers, every bench or those named; `--help` says the rest.
 *
 * Progress goes to standard error, tables to standard output, reports and plots to `reports/bench/`. Figures are never
 * asserted on: machines are noisy.
 */
import { join } from 'node:path';
import { endingSignals, exitCodeOf } from '../../scripts/lib/interrupt.mjs';
import { repositoryRoot } from '../../scripts/lib/root.mjs';
import { explain } from '../../scripts/lib/step.mjs';
import { provideTools } from '../../scripts/lib/system-tools.mjs';
import { benches } from './registry.ts';
import type { RunRequest } from './runner/arguments.ts';
import { UsageError, parseArguments, usage } from './runner/arguments.ts';
import { updateDocs, updateReadme } from './runner/documents.ts';
import { runBenches } from './runner/run-benches.ts';

const say = (text: string): void => void process.stderr.write(`${text}\n`);

const interrupted = new AbortController();
for (const signal of endingSignals) process.on(signal, () => interrupted.abort(signal));

async function main(request: RunRequest): Promise<number> {
  const reports = request.reports ?? join(repositoryRoot, 'reports/bench');
  if (!request.fromReports) {
    await provideTools([...new Set(request.benches.flatMap(({ tools }) => tools))], repositoryRoot);
  }
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const failed = await runBenches(request, { reports, say, print, signal: interrupted.signal });
  if (interrupted.signal.aborted) return exitCodeOf(String(interrupted.signal.reason));
  const done = request.benches.filter(({ name }) => !failed.includes(name));
  if (request.updateDocs) await updateDocs(done, { root: repositoryRoot, reports });
  if (request.updateReadme) await updateReadme(benches, { root: repositoryRoot, reports });
  if (failed.length > 0) say(`failed: ${failed.join(', ')}`);
  return failed.length > 0 ? 1 : 0;
}

try {
  const request = parseArguments(process.argv.slice(2), benches);
  switch (request.kind) {
    case 'help':
      process.stdout.write(usage);
      break;
    case 'list':
      process.stdout.write(benches.map(({ name, summary }) => `${name.padEnd(14)} ${summary}\n`).join(''));
      break;
    case 'run':
      process.exitCode = await main(request);
      break;
    default:
      request satisfies never;
  }
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  } else {
    explain(error);
    process.exitCode = 1;
  }
}
