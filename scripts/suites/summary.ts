/** What a tier adds up to. */

/** The counts of one suite. */
export interface SuiteResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly durationMs: number;
}

/** True when something ran and nothing failed. */
export function isGreen(suites: readonly SuiteResult[]): boolean {
  const ran = suites.some(({ passed, skipped }) => passed + skipped > 0);
  return ran && suites.every(({ failed }) => failed === 0);
}

/** A table of suites with their counts and times. */
export function formatSummary(tier: string, suites: readonly SuiteResult[]): string {
  const rows = suites.map(
    ({ name, passed, failed, skipped, durationMs }) =>
      `  ${name.padEnd(10)} ${count(passed, 'passed')} ${count(failed, 'failed')} ${count(skipped, 'skipped')}  ${(durationMs / 1000).toFixed(1).padStart(6)} s`,
  );
  return `\n${tier}: ${isGreen(suites) ? 'ok' : 'FAILED'}\n${rows.join('\n')}\n`;
}

function count(number: number, word: string): string {
  return `${String(number).padStart(6)} ${word}`;
}
