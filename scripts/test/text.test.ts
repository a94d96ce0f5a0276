import { expect, test } from 'vitest';
import { textFindings } from '../checks/text.ts';

const forbidden = [
  ['packages/a/src/x.ts', '// TODO: later'],
  ['docs/x.md', 'FIXME'],
  ['packages/a/src/x.ts', '// @ts-ignore'],
  ['packages/a/src/x.ts', '// oxlint-disable-next-line no-console'],
  ['packages/a/test/x.test.ts', 'test.only("x", () => {});'],
  ['packages/a/test/x.test.ts', 'describe.skip("x", () => {});'],
  ['packages/a/src/index.ts', "export * from './x.ts';"],
  ['packages/a/src/x.ts', '/** [SRS_NODE_1_001] */'],
  ['README.md', '```js no-run'],
  ['README.md', '```ts'],
  ['scripts/x.ts', "const path = '/home/somebody/x';"],
  ['scripts/x.ts', 'see ../shared/x'],
  ['docs/x.md', 'as design.md says'],
  ['.npmrc', 'registry=https://registry.packages.test/'],
] as const;

test.for(forbidden)('in %s finds %s', ([file, line]) => {
  const [finding, ...others] = textFindings(file, `first\n${line}\n`);
  expect(finding).toMatchObject({ file, line: 2 });
  expect(others).toEqual([]);
});

const allowed = [
  ['packages/a/src/x.ts', '// oxlint-disable-next-line no-console -- a command prints'],
  ['packages/a/src/reader.ts', 'reader.skip(4);'],
  ['packages/a/src/index.ts', "export * from './generated/types.mjs';"],
  ['packages/a/test/x.test.ts', "test('[SRS_NODE_1_001] works', () => {});"],
  ['README.md', '```js'],
  ['docs/x.md', 'https://example.test/home/page'],
] as const;

test.for(allowed)('in %s lets pass %s', ([file, line]) => {
  expect(textFindings(file, `${line}\n`)).toEqual([]);
});

test('warns of a long file and stops a longer one, but not data', () => {
  const lines = (count: number): string => 'x;\n'.repeat(count);
  expect(textFindings('a.ts', lines(350))).toEqual([]);
  expect(textFindings('a.ts', lines(351))).toMatchObject([{ level: 'warning' }]);
  const [tooLong] = textFindings('a.ts', lines(501));
  expect(tooLong?.message).toBe('has 501 lines, more than 500');
  expect(tooLong?.level).toBeUndefined();
  expect(textFindings('packages/a/test/vectors/a.ts', lines(501))).toEqual([]);
});

test('wants kebab-case names', () => {
  expect(textFindings('packages/a/src/ByteReader.ts', '')).toMatchObject([
    { message: 'is not named in kebab-case' },
  ]);
});
