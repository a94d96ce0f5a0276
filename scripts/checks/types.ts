/** Types of sources, tests, type tests and scripts, by the compiler that builds the packages. */
import { join } from 'node:path';
import type { Check, Finding } from './check.ts';
import { runTool } from './tool.ts';

/** What is compiled: everything, and what is published once more, whose declarations are made file by file. */
const projects = ['tsconfig.json', 'tsconfig.published.json'];

/** Type-checks everything the configurations at the root include. */
export const types: Check = {
  name: 'types',
  summary: 'sources, tests and type tests type-check, and declarations can be made of what is published',
  async run(root) {
    // A mistake in a published source is found by both.
    const findings = new Map<string, Finding>();
    for (const project of projects) {
      const { exitCode, output } = await runTool(
        process.execPath,
        [join(root, 'node_modules/typescript/bin/tsc'), '-p', project, '--pretty', 'false'],
        { cwd: root },
      );
      for (const finding of typeFindings(exitCode, output)) findings.set(JSON.stringify(finding), finding);
    }
    return [...findings.values()];
  },
};

/** Reads the compiler's plain diagnostics; continuation lines belong to the one before. */
export function typeFindings(exitCode: number, output: string): Finding[] {
  const findings: Finding[] = [];
  for (const line of output.split('\n')) {
    const match = /^(?<file>[^\s(][^(]*)\((?<line>\d+),\d+\): error (?<message>.*)$/.exec(line);
    const last = findings.at(-1);
    if (match?.groups !== undefined) {
      const { file, line: number, message } = match.groups;
      findings.push({ file, line: Number(number), message: message ?? '' });
    } else if (/^\s+\S/.test(line) && last !== undefined) {
      findings[findings.length - 1] = { ...last, message: `${last.message}\n${line.trim()}` };
    } else if (line.trim() !== '') {
      findings.push({ message: line });
    }
  }
  if (exitCode !== 0 && findings.length === 0) findings.push({ message: `tsc exited with ${exitCode}` });
  return findings;
}
