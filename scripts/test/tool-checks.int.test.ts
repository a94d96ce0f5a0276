/** The checks that run tools, on a small checkout with one mistake each. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { undocumented } from '../checks/doc-comments.ts';
import { exampleFindings } from '../checks/examples.ts';
import { formatting, linting } from '../checks/oxc.ts';
import { snippetsOf, snippetsOfComments } from '../checks/snippets.ts';
import { types } from '../checks/types.ts';
import { repositoryRoot } from '../lib/root.mjs';
import { type Folder, makeFolder } from './support/folder.ts';

const configuration = (file: string): string => readFileSync(join(repositoryRoot, file), 'utf8');

/** A checkout with the repository's configuration and one source file. */
function checkout(source: string, file = 'packages/a/src/index.ts'): Folder {
  return makeFolder(
    {
      // Without this the tools would look through the linked packages too.
      '.gitignore': configuration('.gitignore').replace('node_modules/', 'node_modules'),
      'package.json': '{\n  "type": "module"\n}\n',
      '.oxlintrc.json': configuration('.oxlintrc.json'),
      '.oxfmtrc.json': configuration('.oxfmtrc.json'),
      'tsconfig.base.json': configuration('tsconfig.base.json'),
      'tsconfig.json': configuration('tsconfig.json'),
      'tsconfig.published.json': configuration('tsconfig.published.json'),
      'packages/b/src/index.ts': 'export const b: number = 1;\n',
      [file]: source,
    },
    { withTools: true },
  );
}

describe('format', () => {
  test('lists a file that is not formatted', async () => {
    using folder = checkout('export const a  =  "x"\n');
    expect(await formatting.run(folder.path)).toEqual([
      { file: 'packages/a/src/index.ts', message: 'is not formatted; run `npm run format`' },
    ]);
  });

  test('says nothing about one that is', async () => {
    using folder = checkout("export const a = 'x';\n");
    expect(await formatting.run(folder.path)).toEqual([]);
  });
});

describe('lint', () => {
  const mistakes = [
    ['no-floating-promises', 'export function f(): void {\n  Promise.resolve(1);\n}\n'],
    ['no-explicit-any', 'export function f(value: any): void {\n  void value;\n}\n'],
    ['no-unsafe-member-access', "export const b = (JSON.parse('{}').b satisfies unknown) === 1;\n"],
    ['no-misused-promises', '[1].forEach(async () => Promise.resolve());\nexport {};\n'],
    [
      'switch-exhaustiveness-check',
      "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}\n",
    ],
    ['no-unused-vars', "import { a } from './a.ts';\n"],
    ['no-console', "console.log('x');\nexport {};\n"],
    ['prefer-node-protocol', "export { join } from 'path';\n"],
    ['no-unused-disable', '// oxlint-disable-next-line no-console -- none here\nexport const a = 1;\n'],
  ] as const;

  test.for(mistakes)('finds %s', async ([rule, source]) => {
    using folder = checkout(source);
    const messages = (await linting.run(folder.path)).map(({ message }) => message).join('\n');
    expect(messages).toMatch(rule === 'no-unused-disable' ? /[Uu]nused.*disable/ : rule);
  });

  test('says nothing about a sound file', async () => {
    using folder = checkout("export const a = 'x';\n");
    expect(await linting.run(folder.path)).toEqual([]);
  });
});

describe('types', () => {
  test.for([
    ['a source', 'packages/a/src/index.ts', 'export const a: number = "x";\n'],
    ['what has no declaration', 'packages/a/src/index.ts', 'export const a = Math.max(1, 2);\n'],
    [
      'a type test',
      'packages/a/test/a.test-d.ts',
      '// @ts-expect-error -- it is fine\nexport const a: number = 1;\n',
    ],
    ['what cannot be stripped', 'packages/a/src/index.ts', 'export enum A {\n  B,\n}\n'],
  ] as const)('finds a mistake in %s', async ([, file, source]) => {
    using folder = checkout(source, file);
    expect(await types.run(folder.path)).toMatchObject([{ file }]);
  });
});

describe('doc comments', () => {
  /** Sources, and what the check says about each. */
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['export const a = 1;', ['a has no doc comment']],
    ['/** @private */\nexport const a = 1;', ['a has no doc comment']],
    ['/** thing */\nexport const a = 1;', ['a has a doc comment that does not begin with a full sentence']],
    [
      '/** Options of a. */\nexport interface AOptions {\n  name?: string;\n}',
      ['AOptions.name has no doc comment'],
    ],
    [
      '/** Something with a size. */\nexport interface A {\n  size: number;\n}',
      ['A.size has no doc comment'],
    ],
    ['/** Something that runs. */\nexport class A {\n  run(): void {}\n}', ['A.run has no doc comment']],
    ['/** Something made. */\nexport class A {\n  static make(): void {}\n}', ['A.make has no doc comment']],
    ['const a = 1;\nvoid a;', ['is not a module that exports anything']],
    ['/** A number to count with. */\nexport const a = 1;', []],
    // What is private, self-evident or documented by the interface needs none.
    [
      [
        '/** Something that runs. */',
        'export interface Runner {',
        '  /** Runs it. */',
        '  run(): void;',
        '  readonly name: string;',
        "  readonly kind: 'runner';",
        '}',
        '/** Runs things in order. */',
        'export class Ordered implements Runner {',
        "  readonly name = 'ordered' as string;",
        "  readonly kind = 'runner';",
        '  #size = 0;',
        '  private helper(): number { return this.#size; }',
        '  run(): void { this.helper(); }',
        '  [Symbol.dispose](): void {}',
        '}',
      ].join('\n'),
      [],
    ],
  ];

  test('are asked for where a reader needs them, and nowhere else', () => {
    const file = (index: number): string => `packages/a/src/case-${index}.ts`;
    const sources = Object.fromEntries(cases.map(([source], index) => [file(index), source]));
    using folder = makeFolder({ ...sources, 'package.json': '{ "type": "module" }' }, { withTools: true });
    const findings = undocumented(
      folder.path,
      Object.keys(sources).map((name) => join(folder.path, name)),
    );
    const found = cases.map(([source], index) => [
      source,
      findings.filter((finding) => finding.file === file(index)).map(({ message }) => message),
    ]);
    expect(found).toEqual(cases);
  });
});

describe('examples', () => {
  const find = (markdown: string): ReturnType<typeof exampleFindings> =>
    exampleFindings(repositoryRoot, snippetsOf('README.md', markdown));

  test('a snippet with a name that does not exist is found, at its line', async () => {
    const markdown =
      "# A\n\n```js\nimport { Secrets } from '@endorse/interface';\nSecrets.fromText('x');\n```\n";
    expect(await find(markdown)).toMatchObject([{ file: 'README.md', line: 4 }]);
  });

  test('a snippet that compiles is fine', async () => {
    expect(
      await find("```js\nimport { Secret } from '@endorse/interface';\nSecret.fromText('x');\n```\n"),
    ).toEqual([]);
  });

  test('snippets of doc comments are found where they stand', () => {
    const source =
      'export {};\n/**\n * A.\n *\n * ```js\n * const a = 1;\n * ```\n */\nexport const b = 2;\n';
    expect(snippetsOfComments('x.ts', source)).toEqual([{ file: 'x.ts', line: 6, code: 'const a = 1;\n' }]);
  });
});
