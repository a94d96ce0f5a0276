/** The packaging checks, on packages with one mistake each. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { dependencyNames, packagesWithInstallScripts } from '../checks/packaging/empty-project.ts';
import { forbiddenModules, thirdPartyModules } from '../checks/packaging/loaded-modules.ts';
import { fileListProblems, tarballProblems } from '../checks/packaging/tarball-lint.ts';
import { makeFolder } from './support/folder.ts';

const sound = {
  'package/LICENSE': 'MIT',
  'package/README.md': '# A',
  'package/dist/index.js': 'export const a = 1;\n',
  'package/dist/index.d.ts': 'export declare const a: number;\n',
  'package/package.json': JSON.stringify({
    name: '@endorse/a',
    version: '1.0.0',
    license: 'MIT',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=22.19' },
    files: ['dist'],
    exports: {
      '.': { '@endorse/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
      './package.json': './package.json',
    },
  }),
  'package/src/index.ts': 'export const a: number = 1;\n',
};

async function problems(change: Readonly<Record<string, string>>): Promise<string[]> {
  using folder = makeFolder({ ...sound, ...change });
  execFileSync('tar', ['czf', 'a.tgz', 'package'], { cwd: folder.path });
  return await tarballProblems(Buffer.from(readFileSync(join(folder.path, 'a.tgz'))));
}

describe('a tarball', () => {
  test('like ours is accepted', async () => {
    expect(await problems({})).toEqual([]);
  });

  test('whose entry is missing is refused by publint', async () => {
    const manifest = JSON.parse(sound['package/package.json']) as Record<string, unknown>;
    manifest['exports'] = { '.': { types: './dist/index.d.ts', default: './dist/missing.js' } };
    expect(await problems({ 'package/package.json': JSON.stringify(manifest) })).toContainEqual(
      expect.stringMatching(/^publint: .*missing\.js/),
    );
  });

  test('whose types say CommonJS is refused by are-the-types-wrong', async () => {
    const manifest = JSON.parse(sound['package/package.json']) as Record<string, unknown>;
    manifest['exports'] = { '.': { types: './dist/index.d.cts', default: './dist/index.js' } };
    const found = await problems({
      'package/dist/index.d.cts': sound['package/dist/index.d.ts'],
      'package/package.json': JSON.stringify(manifest),
    });
    expect(found).toContainEqual(expect.stringMatching(/^are-the-types-wrong: /));
  });

  test('with a test, without a licence is noticed', () => {
    const files = ['README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts', 'test/a.test.ts'];
    expect(fileListProblems(files)).toEqual(['lacks LICENSE', 'contains test/a.test.ts']);
  });
});

describe('an installation', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/@endorse/a': { dependencies: { undici: '^8.0.0' } },
      'node_modules/undici': { dependencies: { helper: '1' } },
      'node_modules/helper': {},
      'node_modules/x/node_modules/native': { hasInstallScript: true },
    },
  };

  test('that would run a script is noticed', () => {
    expect(packagesWithInstallScripts(lock)).toEqual(['native']);
  });

  test('whose entry loads what it may not is noticed', () => {
    const urls = [
      'undici/index.js',
      'helper/a.js',
      '@endorse/a/dist/index.js',
      'x/node_modules/native/b.node',
    ];
    const loaded = ['node:crypto', ...urls.map((path) => `file:///p/node_modules/${path}`)];
    expect(thirdPartyModules(loaded)).toEqual(['helper', 'native', 'undici']);
    const allowed = { '@endorse/a': ['undici'] };
    expect(forbiddenModules('@endorse/a', loaded, dependencyNames(lock), allowed)).toEqual(['native']);
    expect(forbiddenModules('@endorse/b', loaded, dependencyNames(lock), allowed)).toHaveLength(3);
  });

  test('is probed for everything an entry loads, CommonJS included', () => {
    using folder = makeFolder({
      'node_modules/@endorse/a/package.json': '{"type":"module","exports":"./index.js"}',
      'node_modules/@endorse/a/index.js': "import 'carrier';\nexport const a = 1;\n",
      'node_modules/carrier/package.json': '{"main":"index.js"}',
      'node_modules/carrier/index.js': "require('deep');\n",
      'node_modules/deep/package.json': '{"main":"index.js"}',
      'node_modules/deep/index.js': '',
    });
    const probe = fileURLToPath(new URL('../checks/packaging/entry-probe.mjs', import.meta.url));
    const output = execFileSync(process.execPath, [probe, '@endorse/a', folder.path], { encoding: 'utf8' });
    const { exports, loaded } = JSON.parse(output) as { exports: string[]; loaded: string[] };
    expect(exports).toEqual(['a']);
    expect(thirdPartyModules(loaded)).toEqual(['carrier', 'deep']);
  });
});
