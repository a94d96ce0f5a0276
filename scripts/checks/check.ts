/** What a check is: a function of a checkout that lists what is wrong with it. */

/** One thing that is wrong, and where. */
export interface Finding {
  /** Path from the root of the checkout; absent when it is about the whole. */
  readonly file?: string | undefined;
  /** 1-based. */
  readonly line?: number | undefined;
  readonly message: string;
  /** A warning is shown and does not fail; default is an error. */
  readonly level?: 'error' | 'warning';
}

/** A check; it passes when it lists no error. */
export interface Check {
  /** Short, kebab-case; what the command line takes. */
  readonly name: string;
  /** One line on what holds when it passes. */
  readonly summary: string;
  run(root: string): Promise<readonly Finding[]>;
}

/** How a check ended. */
export interface CheckResult {
  readonly name: string;
  readonly findings: readonly Finding[];
  readonly durationMs: number;
}

/** True for findings that fail a check. */
export function isError(finding: Finding): boolean {
  return finding.level !== 'warning';
}

/** Runs one check; an exception it throws is a finding, because then it has checked nothing. */
export async function runCheck(check: Check, root: string): Promise<CheckResult> {
  const startedAt = performance.now();
  let findings: readonly Finding[];
  try {
    findings = await check.run(root);
  } catch (error) {
    findings = [
      { message: `the check itself failed: ${error instanceof Error ? error.stack : String(error)}` },
    ];
  }
  return { name: check.name, findings, durationMs: performance.now() - startedAt };
}

/** A line a check, and below it a line a finding. */
export function formatResult({ name, findings, durationMs }: CheckResult): string {
  const failed = findings.some(isError);
  const lines = [` ${failed ? '✗' : '✓'} ${name.padEnd(20)} ${(durationMs / 1000).toFixed(1).padStart(6)} s`];
  for (const finding of findings) lines.push(`     ${formatFinding(finding)}`);
  return `${lines.join('\n')}\n`;
}

function formatFinding({ file, line, message, level }: Finding): string {
  const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `;
  return `${level === 'warning' ? 'warning: ' : ''}${place}${message.replace(/\n/g, '\n       ')}`;
}
