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
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const require = createRequire(import.meta.url);

/** Path below `dist/`, without its ending, to the source it is built from. */
const entryPoints = Object.fromEntries([
  ...Object.values(manifest.exports)
    .filter((target) => typeof target === 'object')
    .map((target) => [outputName(target.default), target['@endorse/source']]),
  ...Object.values(manifest.bin ?? {}).map((path) => [outputName(path), `./src/${outputName(path)}.ts`]),
  // A worker is addressed from its sibling, and all code that is not an entry lies at the top of dist/.
  ...process.argv.slice(2).map((source) => [basename(source, '.ts'), `./${source}`]),
]);

// What a source that is gone left behind must not be published.
rmSync('dist', { recursive: true, force: true });

const tsc = join(require.resolve('typescript/package.json'), '../bin/tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--emitDeclarationOnly'], {
  stdio: 'inherit',
});
await build({
  entryPoints,
  outdir: 'dist',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'es2022',
  packages: 'external',
  conditions: ['@endorse/source'],
  sourcemap: true,
  // The sources are in the package; a second copy in the map would be a third of its size.
  sourcesContent: false,
  logLevel: 'warning',
});

function outputName(path) {
  return path.replace(/^(\.\/)?dist\//, '').replace(/\.js$/, '');
}
