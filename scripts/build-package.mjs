/**
 * Builds the package in the current folder: declarations by tsc, one JavaScript file an
 * entry by esbuild. A device pays for every module it loads, about half a millisecond each,
 * and a package of ours has up to sixty of them (docs/decisions has the figures).
 *
 * Entries are what `exports` and `bin` of the manifest name, and the files given as
 * arguments (workers, which are loaded by address). What several entries share, and what is
 * loaded on demand, goes to files of its own. Nothing of another package is bundled.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const require = createRequire(import.meta.url);

const exported = Object.values(manifest.exports)
  .map((target) => target['@endorse/source'])
  .filter((source) => source !== undefined);
const commands = Object.values(manifest.bin ?? {}).map((path) =>
  path.replace(/^(\.\/)?dist\//, './src/').replace(/\.js$/, '.ts'),
);
const entryPoints = [...new Set([...exported, ...commands, ...process.argv.slice(2)])];

const tsc = join(require.resolve('typescript/package.json'), '../bin/tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--emitDeclarationOnly'], {
  stdio: 'inherit',
});
await build({
  entryPoints,
  outdir: 'dist',
  entryNames: '[name]',
  chunkNames: 'shared/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'es2022',
  packages: 'external',
  conditions: ['@endorse/source'],
  sourcemap: true,
  logLevel: 'warning',
});
