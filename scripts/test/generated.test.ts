import { expect, test } from 'vitest';
import { replaceSection, sectionProblem } from '../checks/generated.ts';

const document =
  'Before\n\n<!-- begin: list -->\n\n| a   | b |\n| --- | - |\n\n<!-- end: list -->\n\nAfter\n';

test('a section that holds what is rendered is fine, however it is padded', () => {
  expect(sectionProblem(document, 'list', '| a | b |\n| ------ | - |')).toBeUndefined();
});

test('a stale section is noticed', () => {
  expect(sectionProblem(document, 'list', '| a | c |')).toContain('is stale');
});

test('a missing section is noticed', () => {
  expect(sectionProblem('nothing', 'list', 'x')).toContain('has no section');
  expect(() => replaceSection('nothing', 'list', 'x')).toThrow('no section list');
});

test('replacing a section leaves the rest alone and takes any text as it is', () => {
  expect(replaceSection(document, 'list', '$& costs $1')).toBe(
    'Before\n\n<!-- begin: list -->\n\n$& costs $1\n\n<!-- end: list -->\n\nAfter\n',
  );
});
