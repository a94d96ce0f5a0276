/**
 * Makes our form of tss.js from the npm package, which is needed here only:
 *
 *     node scripts/generate.ts          src/generated/, for tests and type checks of the sources
 *     node scripts/generate.ts dist     dist/generated/, for the registry
 *
 * The generated part of tss.js (structures, commands, enumerations) is bundled with the edits of patches.ts. Its
 * hand-written part (marshaller, base class, devices) stays out; ours in src/ takes its place.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';
import { declarations } from './declarations.ts';
import { readLines } from './patches.ts';

/** Where the npm package is. */
export function locateTssJs(): string {
  return dirname(createRequire(import.meta.url).resolve('tss.js/package.json'));
}

/** The files to write, by name; `extension` is what our own modules are imported with from there. */
export async function generate(extension: '.ts' | '.js'): Promise<Readonly<Record<string, string>>> {
  const source = locateTssJs();
  const license = readLines(join(source, 'LICENSE'));
  return {
    'tssjs.mjs': await bundle(source, license, extension),
    ...declarations(source, license, extension),
    'LICENSE-tss.js.txt': license,
  };
}

const packageFolder = fileURLToPath(new URL('..', import.meta.url));

async function main(target: string | undefined): Promise<void> {
  const forRegistry = target === 'dist';
  const folder = join(packageFolder, forRegistry ? 'dist/generated' : 'src/generated');
  const files = await generate(forRegistry ? '.js' : '.ts');
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  if (forRegistry) rmSync(join(folder, '.gitignore'), { force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2]);
