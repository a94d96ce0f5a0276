/** Formatting and lint, by oxfmt and oxlint. */
import { join } from 'node:path';
import type { Check, Finding } from './check.ts';
import { runTool } from './tool.ts';

/** Lists files that `npm run format` would change. */
export const formatting: Check = {
  name: 'format',
  summary: 'every file is formatted as oxfmt does',
  async run(root) {
    const { exitCode, output } = await runTool(
      process.execPath,
      [join(root, 'node_modules/oxfmt/bin/oxfmt'), '--list-different', '.'],
      { cwd: root },
    );
    if (exitCode === 0) return [];
    const files = output.split('\n').filter((line) => line !== '');
    return files.map((file) => ({ file, message: 'is not formatted; run `npm run format`' }));
  },
};

interface OxlintReport {
  readonly diagnostics: readonly {
    readonly message: string;
    readonly code?: string;
    readonly severity: string;
    readonly filename: string;
    readonly help?: string;
    readonly labels: readonly { readonly span: { readonly line: number } }[];
  }[];
  readonly number_of_files: number;
}

/** Lists violations of `.oxlintrc.json`, type-aware rules included. */
export const linting: Check = {
  name: 'lint',
  summary: 'oxlint finds nothing, type-aware rules included',
  async run(root) {
    const { exitCode, output } = await runTool(
      process.execPath,
      [
        join(root, 'node_modules/oxlint/bin/oxlint'),
        '--type-aware',
        '--format=json',
        '--report-unused-disable-directives',
        '.',
      ],
      { cwd: root },
    );
    return lintFindings(exitCode, output);
  },
};

/** Reads oxlint's JSON report; anything else it wrote is a finding too. */
export function lintFindings(exitCode: number, output: string): Finding[] {
  const start = output.indexOf('{');
  let report: OxlintReport;
  try {
    report = JSON.parse(output.slice(start)) as OxlintReport;
  } catch {
    return [{ message: `oxlint exited with ${exitCode}:\n${output}` }];
  }
  const findings: Finding[] = report.diagnostics.map(({ message, code, filename, help, labels }) => ({
    file: filename,
    line: labels[0]?.span.line,
    message: `${message} [${code ?? 'oxlint'}]${help === undefined ? '' : ` ${help}`}`,
  }));
  if (report.number_of_files === 0) findings.push({ message: 'oxlint looked at no file' });
  if (exitCode !== 0 && findings.length === 0) findings.push({ message: `oxlint exited with ${exitCode}` });
  return findings;
}
