/**
 * Requirements and the tests that show them: an id counts when the title of a
 * test that passed names it, in every package that has to fulfil it.
 */
import requirementDocuments from '../checks/requirement-ids.json' with { type: 'json' };
import type { Finding } from '../checks/check.ts';

/** The requirements of one document. */
export interface RequirementDocument {
  readonly document: string;
  /** Packages that each have to show every requirement. */
  readonly packages: readonly string[];
  readonly prefix: string;
  readonly numbers: readonly string[];
}

/** A test that passed. */
export interface PassedTest {
  /** Path from the root of the checkout. */
  readonly file: string;
  readonly title: string;
}

/** The documents whose requirements are in force. */
export const requirements: readonly RequirementDocument[] = requirementDocuments;

/** Lists requirements without a passed test, and ids in titles that no document knows. */
export function requirementFindings(
  documents: readonly RequirementDocument[],
  passed: readonly PassedTest[],
): Finding[] {
  // Tests of these scripts speak of ids that are none.
  const seen = passed
    .filter(({ file }) => !file.startsWith('scripts/'))
    .flatMap(({ file, title }) => [...title.matchAll(/SRS_\w+?_\d+_\d+/g)].map(([id]) => ({ id, file })));
  const known = new Set(documents.flatMap(({ prefix, numbers }) => numbers.map((number) => prefix + number)));
  const missing = documents.flatMap(({ prefix, numbers, packages }) =>
    packages.flatMap((name) =>
      numbers
        .map((number) => prefix + number)
        .filter((id) => !seen.some((test) => test.id === id && test.file.startsWith(`packages/${name}/`)))
        .map((id): Finding => ({ file: `packages/${name}/test`, message: `no passed test names ${id}` })),
    ),
  );
  const unknown = seen
    .filter(({ id }) => !known.has(id))
    .map(({ id, file }): Finding => ({ file, message: `${id} is no requirement of any document` }));
  return [...missing, ...unknown];
}
