/**
 * Installs the packed packages into an empty project and uses them as a user
 * would: every entry is imported on the pinned and on the oldest supported
 * Node.js, its types are compiled, the command is started, programs of users run.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { locateMinimumNode } from '../../lib/other-nodes.mjs';
import type { Check, Finding } from '../check.ts';
import { readSuite } from '../../suites/vitest-report.ts';
import { runTool } from '../tool.ts';
import { typeFindings } from '../types.ts';
import {
  type EmptyProject,
  dependencyNames,
  installTarballs,
  packagesWithInstallScripts,
} from './empty-project.ts';
import { forbiddenModules } from './loaded-modules.ts';
import { programFindings } from './programs.ts';
import { type Tarball, packTarballs } from './tarballs.ts';

const probe = fileURLToPath(new URL('entry-probe.mjs', import.meta.url));

/** The check over the checkout. */
export const installation: Check = {
  name: 'installation',
  summary: 'the packed packages install without scripts, and every entry imports and type-checks',
  async run(root) {
    const all = await packTarballs(root).catch(() => []);
    if (all.length === 0) return [{ message: 'there is nothing to install; see the tarballs check' }];
    // A suite for vitest can only be loaded by vitest.
    const isSuite = ({ workspacePackage: { manifest } }: Tarball): boolean =>
      Object.hasOwn(manifest.peerDependencies ?? {}, 'vitest');
    const plain = all.filter((tarball) => !isSuite(tarball));
    using project = await installTarballs(plain);
    return [
      ...packagesWithInstallScripts(project.lock).map((name) => ({
        message: `${name} runs a script on installation`,
      })),
      ...(await entryFindings(root, project, plain)),
      ...(await compileFindings(root, project, plain)),
      ...(await commandFindings(project, plain)),
      ...(await programFindings(root, project, plain)),
      ...(await suiteFindings(all, all.filter(isSuite))),
    ];
  },
};

/** `@endorse/interface/node`, for each entry of each tarball. */
function entriesOf(tarballs: readonly Tarball[]): string[] {
  return tarballs.flatMap(({ workspacePackage: { manifest } }) =>
    Object.keys(manifest.exports ?? {})
      .filter((key) => key !== './package.json')
      .map((key) => manifest.name + key.slice(1)),
  );
}

async function entryFindings(
  root: string,
  project: EmptyProject,
  tarballs: readonly Tarball[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const minimum = await locateMinimumNode(root);
  const runtimes = [process.execPath, ...(minimum === undefined ? [] : [minimum])];
  const dependencies = dependencyNames(project.lock);
  if (minimum === undefined) {
    findings.push({
      level: 'warning',
      message: 'the oldest supported Node.js is not packaged for this platform',
    });
  }
  for (const entry of entriesOf(tarballs)) {
    for (const node of runtimes) {
      const { exitCode, output } = await runTool(node, [probe, entry, project.folder], {
        cwd: project.folder,
        timeoutMs: 30_000,
      });
      if (exitCode !== 0) {
        findings.push({ message: `${entry} does not import on ${node}:\n${output}` });
        continue;
      }
      const { exports, loaded } = JSON.parse(output) as { exports: string[]; loaded: string[] };
      if (exports.length === 0) findings.push({ message: `${entry} exports nothing` });
      for (const name of forbiddenModules(entry, loaded, dependencies)) {
        findings.push({ message: `${entry} loads ${name} when it is imported` });
      }
    }
  }
  return findings;
}

/** Compiles a consumer that imports everything, checking the declarations of our packages too. */
async function compileFindings(
  root: string,
  { folder }: EmptyProject,
  tarballs: readonly Tarball[],
): Promise<Finding[]> {
  const imports = entriesOf(tarballs).map((entry, index) => `import * as entry${index} from '${entry}';\n`);
  const uses = imports.map((_, index) => `void entry${index};\n`);
  writeFileSync(join(folder, 'consumer.ts'), [...imports, ...uses].join(''));
  const { exitCode, output } = await runTool(
    process.execPath,
    [
      join(root, 'node_modules/typescript/bin/tsc'),
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--target',
      'es2022',
      '--lib',
      'es2024,esnext.disposable',
      '--module',
      'nodenext',
      '--skipLibCheck',
      'false',
      '--typeRoots',
      join(root, 'node_modules/@types'),
      '--types',
      'node',
      '--pretty',
      'false',
      'consumer.ts',
    ],
    { cwd: folder },
  );
  return typeFindings(exitCode, output)
    .filter(({ file }) => file === undefined || !isForeign(file))
    .map((finding) => ({ ...finding, message: `as a consumer compiles it: ${finding.message}` }));
}

function isForeign(file: string): boolean {
  return file.includes('node_modules/') && !file.includes('node_modules/@endorse/');
}

async function commandFindings({ folder }: EmptyProject, tarballs: readonly Tarball[]): Promise<Finding[]> {
  const commands = tarballs.flatMap(({ workspacePackage }) =>
    Object.keys(workspacePackage.manifest.bin ?? {}),
  );
  const findings: Finding[] = [];
  for (const command of commands) {
    const run = await runTool(join(folder, 'node_modules/.bin', command), ['--help'], {
      cwd: folder,
      timeoutMs: 30_000,
    });
    if (run.exitCode !== 0)
      findings.push({ message: `${command} --help exited with ${run.exitCode}:\n${run.output}` });
  }
  return findings;
}

/** Loads the exported suites inside a vitest run in a project that has vitest, as their users do. */
async function suiteFindings(all: readonly Tarball[], suites: readonly Tarball[]): Promise<Finding[]> {
  if (suites.length === 0) return [];
  const names = new Set(
    suites.flatMap(({ workspacePackage: { manifest } }) => Object.keys(manifest.dependencies ?? {})),
  );
  const needed = all.filter(({ workspacePackage }) => names.has(workspacePackage.manifest.name));
  using project = await installTarballs([...needed, ...suites]);
  const { folder } = project;
  const tests = entriesOf(suites).map(
    (entry) =>
      `test('${entry}', async () => expect(Object.keys(await import('${entry}'))).not.toEqual([]));\n`,
  );
  writeFileSync(join(folder, 'entries.test.js'), `import { expect, test } from 'vitest';\n${tests.join('')}`);
  const report = join(folder, 'report.json');
  const { exitCode, output } = await runTool(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--root', '.', '--reporter=json', `--outputFile=${report}`],
    { cwd: folder },
  );
  const { passed, failed } = readSuite('suites', report, exitCode, 0);
  return passed === tests.length && failed === 0
    ? []
    : [{ message: `the exported suites do not load in vitest (exit code ${exitCode}):\n${output}` }];
}
