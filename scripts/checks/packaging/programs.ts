/** Runs what users would write, `test/programs/*.mjs` of each package, in the project of packed packages. */
import { copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../check.ts';
import { runTool } from '../tool.ts';
import type { EmptyProject } from './empty-project.ts';
import type { Tarball } from './tarballs.ts';

/** Starts a TPM with the packed simulator and hands its address to the program. */
const driver = `
import { spawnSync } from 'node:child_process';
import { startTpmSimulator } from '@endorse/tpm-simulator';
const simulator = await startTpmSimulator({ provisioned: true });
const run = spawnSync(process.execPath, [process.argv[2], simulator.address], { stdio: 'inherit', timeout: 30_000 });
await simulator.stop();
process.exitCode = run.status ?? 1;
`;

/** Findings for programs that fail; the programs check their own results. */
export async function programFindings(
  root: string,
  { folder }: EmptyProject,
  tarballs: readonly Tarball[],
): Promise<Finding[]> {
  const programs = tarballs.flatMap(({ workspacePackage }) => programsOf(root, workspacePackage.folder));
  writeFileSync(join(folder, 'with-tpm.mjs'), driver);
  const findings: Finding[] = [];
  for (const [index, program] of programs.entries()) {
    const copy = `program-${index}.mjs`;
    copyFileSync(join(root, program), join(folder, copy));
    const { exitCode, output } = await runTool(process.execPath, ['with-tpm.mjs', copy], {
      cwd: folder,
      timeoutMs: 60_000,
    });
    if (exitCode !== 0)
      findings.push({ file: program, message: `fails against the packed packages:\n${output}` });
  }
  return findings;
}

function programsOf(root: string, packageFolder: string): string[] {
  const programs = join(packageFolder, 'test/programs');
  if (!existsSync(join(root, programs))) return [];
  return readdirSync(join(root, programs))
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => join(programs, name));
}
