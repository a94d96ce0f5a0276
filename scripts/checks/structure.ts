/** Every package is built alike: the same files, the same fields of package.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Check, Finding } from './check.ts';
import { type WorkspacePackage, readWorkspace } from './workspace.ts';

/** The check over the checkout. */
export const structure: Check = {
  name: 'structure',
  summary: 'packages have the same files and the same package.json fields',
  async run(root) {
    return readWorkspace(root)
      .filter(({ folder }) => folder.startsWith('packages/'))
      .flatMap((workspacePackage) =>
        packageStructure(workspacePackage, (file) => readFileSync(join(root, file), 'utf8')),
      );
  },
};

/** One file an entry for what devices load; file by file where the package brings its own bundle. */
const buildCommands = ['node ../../scripts/build-package.mjs', 'tsc -p tsconfig.build.json'];

const requiredFiles = ['LICENSE', 'README.md', 'src/index.ts', 'tsconfig.json', 'tsconfig.build.json'];

/** Lists what sets a package apart from the others. */
export function packageStructure(
  workspacePackage: WorkspacePackage,
  read: (file: string) => string,
): Finding[] {
  const { folder, files } = workspacePackage;
  const messages = requiredFiles.filter((file) => !files.includes(file)).map((file) => `has no ${file}`);
  if (!files.some((file) => /^test\/.*\.test\.ts$/.test(file))) messages.push('has no test');
  if (files.includes('LICENSE') && read(`${folder}/LICENSE`) !== read('LICENSE')) {
    messages.push('has a LICENSE that differs from the one at the root');
  }
  const findings: Finding[] = messages.map((message) => ({ file: folder, message }));
  if (
    files.includes('src/index.ts') &&
    !/^\/\*\*[^]*?@packageDocumentation/.test(read(`${folder}/src/index.ts`))
  ) {
    findings.push({
      file: `${folder}/src/index.ts`,
      message: 'does not open with a @packageDocumentation comment',
    });
  }
  for (const message of manifestProblems(workspacePackage)) {
    findings.push({ file: `${folder}/package.json`, message });
  }
  return findings;
}

function manifestProblems({ name, folder, manifest, files }: WorkspacePackage): string[] {
  const isPublished = manifest.private !== true;
  const expected: Record<string, unknown> = {
    version: manifest.version,
    license: 'MIT',
    type: 'module',
    engines: { node: '>=22.19' },
    repository: { type: 'git', url: 'git+https://github.com/endorse-iot/endorse.git', directory: folder },
    ...(isPublished
      ? {
          files: ['dist', 'src', 'README.md', 'CHANGELOG.md', 'LICENSE'],
          publishConfig: { access: 'public', provenance: true },
        }
      : {}),
  };
  const problems = Object.entries(expected)
    .filter(([field, value]) => !isDeepStrictEqual(manifest[field], value))
    .map(([field, value]) => `${field} must be ${JSON.stringify(value)}`);
  if (!(manifest.description ?? '').endsWith('.')) problems.push('description must be a sentence');
  const build = manifest.scripts?.['build'] ?? '';
  if (!buildCommands.some((command) => build.startsWith(command))) {
    problems.push(`scripts.build must begin with ${buildCommands.join(' or ')}`);
  }
  if (manifest.exports?.['./package.json'] !== './package.json')
    problems.push('exports must name ./package.json');
  for (const [key, target] of Object.entries(manifest.exports ?? {})) {
    if (key !== './package.json') problems.push(...exportProblems(key, target, files));
  }
  for (const [command, target] of Object.entries(manifest.bin ?? {})) {
    if (!files.includes(sourceOf(target))) problems.push(`bin.${command} has no source ${sourceOf(target)}`);
  }
  if (name === '') problems.push('name must be in the scope');
  return problems;
}

/** `src/x.ts`, of `./dist/x.js`. */
function sourceOf(target: string): string {
  return target.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts');
}

function exportProblems(
  key: string,
  target: string | Readonly<Record<string, string>>,
  files: readonly string[],
): string[] {
  const built = typeof target === 'string' ? '' : (target['default'] ?? '');
  const expected = {
    '@endorse/source': `./${sourceOf(built)}`,
    types: built.replace(/\.js$/, '.d.ts'),
    default: built,
  };
  // Order matters: the first condition that applies wins.
  if (JSON.stringify(target) !== JSON.stringify(expected) || !/^\.\/dist\/.*\.js$/.test(built)) {
    return [`exports["${key}"] must be @endorse/source, types and default of one file, in this order`];
  }
  return files.includes(sourceOf(built)) ? [] : [`exports["${key}"] has no source ${sourceOf(built)}`];
}
