import { describe, expect, test } from 'vitest';
import { findCycles } from '../checks/cycles.ts';
import { dependencyFindings } from '../checks/dependencies.ts';
import { type PackageRule, dependencyTable, renderDependencyTable } from '../checks/dependency-table.ts';
import { readImports } from '../checks/imports.ts';
import type { Manifest } from '../checks/workspace.ts';

const table: Record<string, PackageRule> = {
  base: { tier: '0', holds: '', imports: [] },
  middle: { tier: '1', holds: '', imports: ['base'], testImports: ['double'] },
  double: { tier: 'T', holds: '', imports: ['base', 'middle/core'] },
  harness: { tier: '3', holds: '', imports: ['base', 'middle'], seesRepository: true },
};

/** What the check says about a package of the given files, `base` beside it. */
function findingsOf(name: string, files: Record<string, string>, manifest: Partial<Manifest> = {}): string[] {
  const folder = `packages/${name}`;
  const contents = new Map(Object.entries(files).map(([file, text]) => [`${folder}/${file}`, text]));
  return dependencyFindings({
    packages: [
      {
        name,
        folder,
        manifest: { name: `@endorse/${name}`, version: '0.0.0', ...manifest },
        files: Object.keys(files),
      },
    ],
    table,
    rootTools: ['vitest'],
    read: (file) => contents.get(file) ?? '',
  }).map(({ file, line, message }) => `${file}${line === undefined ? '' : `:${line}`} ${message}`);
}

const onBase = { dependencies: { '@endorse/base': 'workspace:^' } };

describe('imports', () => {
  test('of what the table allows and package.json declares are fine', () => {
    const files = {
      'src/index.ts': "import { a } from '@endorse/base/sub';\nimport { b } from './b.ts';\n",
      'src/b.ts': "import { createHash } from 'node:crypto';\n",
      'test/index.test.ts': "import { test } from 'vitest';\nimport { x } from '@endorse/double';\n",
    };
    const manifest = { ...onBase, devDependencies: { '@endorse/double': 'workspace:^' } };
    expect(findingsOf('middle', files, manifest)).toEqual([]);
  });

  test('against the table are reported, by place', () => {
    const files = { 'src/index.ts': "// first\nimport { a } from '@endorse/middle';\n" };
    expect(findingsOf('base', files, { dependencies: { '@endorse/middle': 'workspace:^' } })).toEqual([
      'packages/base/src/index.ts:2 @endorse/middle is not allowed here by the dependency table',
      'packages/base/package.json dependencies names @endorse/middle, which the dependency table does not allow',
    ]);
  });

  test('that only tests may use are reported in sources', () => {
    const files = { 'src/index.ts': "export type { X } from '@endorse/double';\n" };
    const manifest = { devDependencies: { '@endorse/double': 'workspace:^' } };
    expect(findingsOf('middle', files, manifest)).toEqual([
      'packages/middle/src/index.ts:1 @endorse/double is not allowed here by the dependency table',
      'packages/middle/src/index.ts:1 @endorse/double is not declared in dependencies',
    ]);
  });

  test('of another entry than the one the table names are reported', () => {
    const manifest = { dependencies: { '@endorse/middle': 'workspace:^' } };
    expect(findingsOf('double', { 'src/index.ts': "import '@endorse/middle/core';\n" }, manifest)).toEqual(
      [],
    );
    expect(findingsOf('double', { 'src/index.ts': "import '@endorse/middle';\n" }, manifest)).toEqual([
      'packages/double/src/index.ts:1 @endorse/middle is not allowed here by the dependency table',
    ]);
  });

  test.for([
    ['src/index.ts', "import { request } from 'undici';", 'undici is not declared in dependencies'],
    ['src/index.ts', "const { request } = await import('undici');", 'undici is not declared in dependencies'],
    ['src/index.ts', "type U = import('undici').Agent;", 'undici is not declared in dependencies'],
    ['src/index.ts', "import { test } from 'vitest';", 'vitest is not declared in dependencies'],
    ['test/a.test.ts', "require('undici/lib/x.js');", 'undici is not declared in any dependencies'],
    ['src/index.ts', "import x from '../../base/src/index.ts';", 'leaves the package; import it by name'],
    ['src/index.ts', "import x from '../test/fixture.ts';", 'which is not published'],
    ['src/index.ts', "import x from '@endorse/middle';", 'a package does not import itself by name'],
  ] as const)('in %s of the kind %s are reported', ([file, text, expected]) => {
    expect(findingsOf('middle', { [file]: text })).toEqual([expect.stringContaining(expected)]);
  });

  test('of scripts are for unpublished files of the harness only', () => {
    const text = "import { runTool } from '../../../scripts/checks/tool.ts';\n";
    expect(findingsOf('harness', { 'bench/main.ts': text })).toEqual([]);
    expect(findingsOf('harness', { 'src/index.ts': text })).toHaveLength(1);
    expect(findingsOf('harness', { 'src/index.ts': text }, { private: true })).toEqual([]);
    expect(findingsOf('middle', { 'test/a.test.ts': text })).toHaveLength(1);
  });
});

describe('package.json', () => {
  test('names nothing that is not imported, and pins nothing by itself', () => {
    const manifest = {
      dependencies: { '@endorse/base': '^1.0.0', undici: '^8.0.0' },
      devDependencies: { 'left-over': 'catalog:' },
    };
    const files = { 'src/index.ts': "import '@endorse/base';\nimport 'undici';\n" };
    expect(findingsOf('middle', files, manifest)).toEqual([
      'packages/middle/package.json dependencies: @endorse/base must be workspace:^, not ^1.0.0',
      'packages/middle/package.json dependencies: undici must be catalog:, not ^8.0.0',
      'packages/middle/package.json devDependencies names left-over, which nothing imports',
    ]);
  });

  test('names types for what is imported, and no others', () => {
    const files = { 'src/index.ts': "import 'undici';\n" };
    const dependencies = { undici: 'catalog:' };
    const devDependencies = { '@types/undici': 'catalog:', '@types/left-over': 'catalog:' };
    expect(findingsOf('middle', files, { dependencies, devDependencies })).toEqual([
      'packages/middle/package.json devDependencies names @types/left-over, which nothing imports',
    ]);
  });

  test('names what a package it depends on leaves to it', () => {
    const base = { name: '@endorse/base', version: '0.0.0', peerDependencies: { ws: 'catalog:' } };
    const dependencies = { '@endorse/base': 'workspace:^', ws: 'catalog:' };
    const middle = { name: '@endorse/middle', version: '0.0.0', dependencies };
    const findings = dependencyFindings({
      packages: [
        { name: 'base', folder: 'packages/base', manifest: base, files: [] },
        { name: 'middle', folder: 'packages/middle', manifest: middle, files: ['src/index.ts'] },
      ],
      table,
      rootTools: [],
      read: () => "import '@endorse/base';\n",
    });
    expect(findings).toEqual([]);
  });

  test('a run-time dependency that only tests import does not belong there', () => {
    const files = { 'test/a.test.ts': "import '@endorse/base';\n" };
    expect(findingsOf('middle', files, onBase)).toEqual([
      'packages/middle/package.json dependencies names @endorse/base, which nothing imports',
    ]);
  });

  test('a package without a row does not pass', () => {
    expect(findingsOf('unknown', {})).toEqual([
      'packages/unknown/package.json @endorse/unknown has no row in the dependency table',
    ]);
  });
});

describe('cycles', () => {
  test('between files are reported, but types may refer to each other', () => {
    const cycle = (keyword: string): string[] =>
      findingsOf('base', {
        'src/a.ts': "import { b } from './b.ts';\n",
        'src/b.ts': `${keyword} { a } from './a.ts';\n`,
      });
    expect(cycle('import type')).toEqual([]);
    expect(cycle('import')).toEqual([
      'packages/base/src/a.ts imports itself: packages/base/src/a.ts → packages/base/src/b.ts → packages/base/src/a.ts',
    ]);
  });

  test('are found wherever they are in a graph', () => {
    const edges = new Map([
      ['entry', ['a']],
      ['a', ['b', 'leaf']],
      ['b', ['c']],
      ['c', ['a']],
      ['self', ['self']],
    ]);
    expect(findCycles(edges)).toEqual([
      ['a', 'b', 'c', 'a'],
      ['self', 'self'],
    ]);
  });

  test('the real table has none, tests included', () => {
    const edges = Object.entries(dependencyTable).map(([name, { imports, testImports = [] }]) => {
      const targets = [...imports, ...testImports];
      return [name, targets.map((target) => target.split('/')[0] ?? target)] as const;
    });
    expect(findCycles(new Map(edges))).toEqual([]);
  });
});

describe('readImports', () => {
  test('sees every way to name a module, and nothing in comments or strings', () => {
    const text = [
      "import a from 'a';",
      "import type { b } from 'b';",
      "import { type c } from 'c';",
      "import { type d, e } from 'd';",
      "export { f } from 'f';",
      "export type * from 'g';",
      "import 'h';",
      "type I = typeof import('i');",
      "await import('j');",
      "require('k'); require.resolve('l'); import.meta.resolve('m');",
      "// import 'no';",
      "const no = `import 'no'`;",
      'await import(computed);',
    ].join('\n');
    const found = readImports('x.ts', text).map(({ specifier, line, typeOnly }) => [
      specifier,
      line,
      typeOnly,
    ]);
    expect(found).toEqual([
      ['a', 1, false],
      ['b', 2, true],
      ['c', 3, true],
      ['d', 4, false],
      ['f', 5, false],
      ['g', 6, true],
      ['h', 7, false],
      ['i', 8, true],
      ['j', 9, false],
      ['k', 10, false],
      ['l', 10, false],
      ['m', 10, false],
    ]);
  });
});

test('the rendered table shows the packages that exist, and only those', () => {
  const rendered = renderDependencyTable(['interface', 'protocol', 'transport-http', 'testkit']);
  expect(rendered).toContain(
    '| 2 | `transport-http` | HTTPS, on undici | `interface`, `protocol` | `testkit` |',
  );
  expect(rendered).not.toContain('transport-mqtt');
  expect(rendered).not.toContain('emulator');
});
