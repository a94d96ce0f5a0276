/**
 * Adds up the reports named on the command line and prints, as its last line,
 * `N passed, N failed, N skipped`. A report that is missing counts as a failure:
 * its tier broke before it could say how it went. Plain JavaScript, for `.ci/run`.
 */
import { readFileSync } from 'node:fs';

const totals = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  for (const { passed, failed, skipped } of readSuites(file)) {
    totals.passed += passed;
    totals.failed += failed;
    totals.skipped += skipped;
  }
}
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;

function readSuites(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).suites;
  } catch (error) {
    process.stdout.write(`no report: ${error.message}\n`);
    return [{ passed: 0, failed: 1, skipped: 0 }];
  }
}
