import { expect, test } from 'vitest';
import { changesetFindings } from '../checks/changesets.ts';
import type { WorkspacePackage } from '../checks/workspace.ts';

function workspacePackage(name: string, version: string, isPrivate = false): WorkspacePackage {
  return {
    name,
    folder: `packages/${name}`,
    manifest: { name: `@endorse/${name}`, version, private: isPrivate },
    files: [],
  };
}

const packages = [
  workspacePackage('new', '0.0.0'),
  workspacePackage('released', '0.3.0'),
  workspacePackage('testkit', '0.0.0', true),
];

function findings(texts: readonly string[], changed: readonly string[] = []): string[] {
  const files = texts.map((text, index) => ({ file: `.changeset/${index}.md`, text }));
  return changesetFindings(packages, files, ({ name }) => changed.includes(name)).map(
    ({ message }) => message,
  );
}

const forNew = "---\n'@endorse/new': minor\n---\n\nAdded it.\n";

test('a package that was never released needs one', () => {
  expect(findings([])).toEqual(['@endorse/new changed and no changeset names it; run `npm run changeset`']);
  expect(findings([forNew])).toEqual([]);
});

test('a released package needs one when it changed', () => {
  expect(findings([forNew], ['released'])).toHaveLength(1);
  const both = '---\n\'@endorse/new\': minor\n"@endorse/released": patch\n---\n\nMended it.\n';
  expect(findings([both], ['released'])).toEqual([]);
});

test.for([
  ['no front matter', 'Added it.'],
  ['an unknown package', "---\n'@endorse/nothing': minor\n---\n\nAdded it.\n"],
  ['a private package', "---\n'@endorse/testkit': minor\n---\n\nAdded it.\n"],
  ['a major bump', "---\n'@endorse/released': major\n---\n\nAdded it.\n"],
  ['no sentence', "---\n'@endorse/released': patch\n---\n\n"],
] as const)('a changeset with %s is noticed', ([, text]) => {
  expect(findings([forNew, text])).toHaveLength(1);
});
