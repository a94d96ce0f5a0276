/**
 * Requirements and the tests that show them: an id counts when the title of a
 * test that passed names it, in every package that has to fulfil it.
 */
import requirementDocuments from '../checks/requirement-ids.json' with { type: 'json' };
import type { Finding } from '../checks/check.ts';

/** The requirements of one document. */
export interface RequirementDocument {
  readonly document: string;
  /** Packages that each have to show every requirement; absent where any test of the checkout will do. */
  readonly packages?: readonly string[];
  /** What ids begin with: `SRS_…_`, or the capital that titles have in brackets before the number, `[L5]`. */
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

/** Ids of a title: long ones anywhere, short ones in brackets of their own. */
function idsIn(title: string): readonly string[] {
  const short = [...title.matchAll(/\[([A-Z]\d{1,2})\]/g)].flatMap(([, id]) => id ?? []);
  return [...(title.match(/SRS_\w+?_\d+_\d+/g) ?? []), ...short];
}

/** Lists requirements without a passed test, and ids in titles that no document knows. */
export function requirementFindings(
  documents: readonly RequirementDocument[],
  passed: readonly PassedTest[],
): Finding[] {
  // Tests of these scripts speak of ids that are none.
  const seen = passed
    .filter(({ file }) => !file.startsWith('scripts/'))
    .flatMap(({ file, title }) => idsIn(title).map((id) => ({ id, file })));
  const known = new Set(documents.flatMap(({ prefix, numbers }) => numbers.map((number) => prefix + number)));
  const missing = documents.flatMap(({ prefix, numbers, packages }) =>
    (packages?.map((name) => `packages/${name}/`) ?? ['']).flatMap((folder) =>
      numbers
        .map((number) => prefix + number)
        .filter((id) => !seen.some((test) => test.id === id && test.file.startsWith(folder)))
        .map((id): Finding => ({
          ...(folder === '' ? {} : { file: `${folder}test` }),
          message: `no passed test names ${id}`,
        })),
    ),
  );
  // A short id of no document is somebody's own way to number; one with a document's capital is a mistake.
  const isMeant = (id: string): boolean =>
    id.startsWith('SRS_') || documents.some(({ prefix }) => prefix === id.replace(/\d+$/, ''));
  const unknown = seen
    .filter(({ id }) => !known.has(id) && isMeant(id))
    .map(({ id, file }): Finding => ({ file, message: `${id} is no requirement of any document` }));
  return [...missing, ...unknown];
}
