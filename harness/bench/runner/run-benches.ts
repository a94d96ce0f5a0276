import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { readMachine } from '../support/machine.ts';
import { peerVersions } from '../support/peer-versions.ts';
import type { RunRequest } from './arguments.ts';
import { readReport, writeReport } from './reports.ts';
import { runBench } from './run-bench.ts';

/** Where things go. */
export interface RunSetting {
  /** Folder of the reports. */
  readonly reports: string;
  readonly say: (text: string) => void;
  readonly print: (text: string) => void;
  /** Ends the bench that runs; the others are not begun. */
  readonly signal: AbortSignal;
}

/** Runs one bench after the other; one that fails does not keep the others from running. Resolves with the names of those. */
export async function runBenches(request: RunRequest, setting: RunSetting): Promise<readonly string[]> {
  const { benches } = request;
  const failed: string[] = [];
  for (const [index, bench] of benches.entries()) {
    if (setting.signal.aborted) break;
    setting.say(`[${index + 1}/${benches.length}] ${bench.name}: ${bench.title}`);
    try {
      const figures = await measureOrRead(bench, request, setting);
      setting.print(`## ${bench.title}\n\n${bench.tables(figures)}\n`);
    } catch (error) {
      if (setting.signal.aborted) break;
      failed.push(bench.name);
      setting.say(
        `${bench.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
  }
  return failed;
}

async function measureOrRead(
  bench: Bench<unknown>,
  { size, fromReports }: RunRequest,
  { reports, say, signal }: RunSetting,
): Promise<unknown> {
  if (fromReports) {
    const report = await readReport(bench, reports);
    await writeReport(bench, report, reports);
    return report.figures;
  }
  // A report is that of the last run, so a run that fails leaves none.
  await rm(join(reports, `${bench.name}.json`), { force: true });
  const startedAt = performance.now();
  const figures = await runBench(bench.name, { size, signal });
  const durationSeconds = Math.round((performance.now() - startedAt) / 1000);
  say(`  took ${durationSeconds} s`);
  const report = {
    bench: bench.name,
    size,
    measuredAt: new Date().toISOString(),
    durationSeconds,
    machine: readMachine(),
    peers: await peerVersions(bench.peers),
    figures,
  };
  await writeReport(bench, report, reports);
  return figures;
}
