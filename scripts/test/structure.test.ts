import { expect, test } from 'vitest';
import { packageStructure } from '../checks/structure.ts';
import type { Manifest } from '../checks/workspace.ts';

const manifest: Manifest = {
  name: '@endorse/a',
  version: '0.0.0',
  description: 'Something.',
  license: 'MIT',
  type: 'module',
  engines: { node: '>=22.19' },
  repository: {
    type: 'git',
    url: 'git+https://github.com/endorse-iot/endorse.git',
    directory: 'packages/a',
  },
  files: ['dist', 'src', 'README.md', 'CHANGELOG.md', 'LICENSE'],
  publishConfig: { access: 'public', provenance: true },
  scripts: { build: 'tsc -p tsconfig.build.json' },
  exports: {
    '.': { '@endorse/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
    './package.json': './package.json',
  },
};
const files = [
  'LICENSE',
  'README.md',
  'package.json',
  'src/index.ts',
  'test/a.test.ts',
  'tsconfig.build.json',
  'tsconfig.json',
];
const contents: Record<string, string> = {
  'packages/a/src/index.ts': '/**\n * A.\n *\n * @packageDocumentation\n */\n',
};

function problems(change: {
  manifest?: Partial<Manifest>;
  files?: readonly string[];
  contents?: Record<string, string>;
}): string[] {
  const texts = { ...contents, ...change.contents };
  return packageStructure(
    {
      name: 'a',
      folder: 'packages/a',
      manifest: { ...manifest, ...change.manifest },
      files: change.files ?? files,
    },
    (file) => texts[file] ?? 'the same',
  ).map(({ message }) => message);
}

test('a package like the others is fine', () => {
  expect(problems({})).toEqual([]);
});

test.for(['LICENSE', 'README.md', 'src/index.ts', 'tsconfig.build.json', 'test/a.test.ts'])(
  'a package without %s is not',
  (missing) => {
    expect(problems({ files: files.filter((file) => file !== missing) })).not.toEqual([]);
  },
);

test('a licence of its own is noticed', () => {
  expect(problems({ contents: { 'packages/a/LICENSE': 'mine' } })).toEqual([
    'has a LICENSE that differs from the one at the root',
  ]);
});

test('the entry opens with a package doc', () => {
  expect(problems({ contents: { 'packages/a/src/index.ts': "export { a } from './a.ts';\n" } })).toEqual([
    'does not open with a @packageDocumentation comment',
  ]);
});

const deviations: Partial<Manifest>[] = [
  { license: 'ISC' },
  { engines: { node: '>=18' } },
  { files: ['dist'] },
  { publishConfig: undefined },
  { description: 'No sentence' },
  { scripts: { build: 'make' } },
  { bin: { a: './dist/main.js' } },
  { exports: { '.': './dist/index.js', './package.json': './package.json' } },
  { exports: { './package.json': './package.json', './b': { default: './dist/b.js' } } },
  {
    exports: {
      '.': { types: './dist/index.d.ts', '@endorse/source': './src/index.ts', default: './dist/index.js' },
      './package.json': './package.json',
    },
  },
  {
    exports: {
      '.': { '@endorse/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
    },
  },
];

test.for(deviations)('a package.json with %j is noticed', (deviation) => {
  expect(problems({ manifest: deviation })).toHaveLength(1);
});
