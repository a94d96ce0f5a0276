/** Reading vitest's JSON report. */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { PassedTest } from './requirements.ts';
import type { SuiteResult } from './summary.ts';

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/**
 * Counts the tests of a report. A file that could not be loaded counts as one
 * failure, and so does a run that ended badly for a reason no test shows
 * (an unhandled rejection, no test found, a crash).
 */
export function readSuite(name: string, file: string, exitCode: number, durationMs: number): SuiteResult {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const { status, assertionResults } of readReport(file)?.testResults ?? []) {
    if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) failed += 1;
    for (const test of assertionResults) {
      if (test.status === 'passed') passed += 1;
      else if (test.status === 'failed') failed += 1;
      else skipped += 1;
    }
  }
  if (exitCode !== 0 && failed === 0) failed = 1;
  return { name, passed, failed, skipped, durationMs };
}

/** The tests that passed, by file (relative to `root`) and full title. */
export function passedTests(file: string, root: string): PassedTest[] {
  return (readReport(file)?.testResults ?? []).flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'passed')
      .map(({ fullName }) => ({ file: relative(root, name), title: fullName })),
  );
}

function readReport(file: string): VitestReport | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as VitestReport) : undefined;
}
