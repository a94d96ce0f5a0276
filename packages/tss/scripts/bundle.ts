/** The script of our form of tss.js: one ES module, no native edge, no deprecated call. */
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { applyEdits, readLines, scriptEdits } from './patches.ts';

/** What tss.js exports from its hand-written part, and where ours comes from. */
export const replacedNames: readonly string[] = [
  'Tpm',
  'TpmBase',
  'TpmBuffer',
  'TpmError',
  'TpmLinuxDevice',
  'TpmTbsDevice',
  'TpmTcpDevice',
  'TSS_TPM_INFO',
];

/** Bundles the generated part of tss.js. */
export async function bundle(source: string, license: string, extension: '.ts' | '.js'): Promise<string> {
  const library = join(source, 'lib');
  const names = Object.keys(createRequire(import.meta.url)(library) as object);
  const kept = names.filter((name) => !replacedNames.includes(name)).toSorted();
  const entry = [
    `import { Tpm } from './Tpm.js';`,
    `import * as types from './TpmTypes.js';`,
    `import * as sessions from './Tss.js';`,
    `import { Crypto as crypto } from './Crypt.js';`,
    `const all = { ...types, ...sessions, Crypto: crypto };`,
    `export const GeneratedTpm = Tpm;`,
    `export const { ${kept.join(', ')} } = all;`,
  ];
  const { outputFiles } = await build({
    stdin: { contents: entry.join('\n'), resolveDir: library, sourcefile: 'entry.js' },
    // Names in the output are relative to it: the same wherever the checkout is.
    absWorkingDir: library,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    charset: 'utf8',
    minifyWhitespace: true,
    legalComments: 'none',
    // Commands and errors are named after their classes.
    keepNames: true,
    plugins: [mendedTssJs(extension)],
  });
  const [{ text } = { text: '' }] = outputFiles;
  for (const remnant of ['ffi-napi', 'new Buffer(', 'Dynamic require of']) {
    if (text.includes(remnant)) throw new Error(`the bundle still has ${remnant}`);
  }
  return `${licenseComment(license)}${text}`;
}

/** The notice that has to travel with every copy. */
export function licenseComment(license: string): string {
  const lines = [
    'tss.js 2.0.0, changed: see the README of @endorse/tss.',
    '',
    ...license.trim().split(/\r?\n/),
  ];
  return `/*!\n${lines.map((line) => ` * ${line}`.trimEnd()).join('\n')}\n */\n`;
}

function mendedTssJs(extension: string): Plugin {
  return {
    name: 'mended-tss.js',
    setup(api) {
      // The marshaller is ours, and stays a module of its own: types and tests come from the source.
      api.onResolve({ filter: /^\.\.\/tpm-buffer/ }, ({ path }) => ({ path, external: true }));
      api.onLoad({ filter: /[\\/]tss\.js[\\/]lib[\\/]TpmMarshaller\.js$/ }, () => ({
        contents: `export { TpmBuffer, unsetField, unknownSelector } from '../tpm-buffer${extension}';`,
      }));
      // Commands are methods of a class that ours extends; the base they had is not needed.
      api.onLoad({ filter: /[\\/]tss\.js[\\/]lib[\\/]TpmBase\.js$/ }, () => ({
        contents: 'export function TpmBase() {}',
      }));
      api.onResolve({ filter: /^crypto$/ }, () => ({ path: 'crypto', namespace: 'builtin' }));
      api.onLoad({ filter: /.*/, namespace: 'builtin' }, () => ({
        contents: `export { createHash, createHmac } from 'node:crypto';`,
      }));
      api.onLoad({ filter: /[\\/]tss\.js[\\/]lib[\\/]\w+\.js$/ }, ({ path }) => {
        const file = basename(path);
        const edits = scriptEdits[file];
        if (edits === undefined) throw new Error(`${file} is not meant to be bundled`);
        return { contents: applyEdits(file, readLines(path), edits) };
      });
    },
  };
}
