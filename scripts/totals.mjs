/**
 * Adds up the reports of the tiers named on the command line and prints
 * `N passed, N failed, N skipped`. A tier without a report counts as a failure:
 * it broke before it could say how it went. Plain JavaScript, for `.ci/run`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './lib/root.mjs';

const totals = { passed: 0, failed: 0, skipped: 0 };
for (const tier of process.argv.slice(2)) {
  for (const { passed, failed, skipped } of readSuites(tier)) {
    totals.passed += passed;
    totals.failed += failed;
    totals.skipped += skipped;
  }
}
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;

function readSuites(tier) {
  try {
    return JSON.parse(readFileSync(join(repositoryRoot, 'reports', `${tier}.json`), 'utf8')).suites;
  } catch (error) {
    process.stdout.write(`no report of ${tier}: ${error.message}\n`);
    return [{ passed: 0, failed: 1, skipped: 0 }];
  }
}
