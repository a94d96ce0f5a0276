/**
 * Queries that are looked up by key, on both stores. Oracle: the same condition held against every row of a
 * `SELECT *`, which knows of no keys.
 */
import type { CollectionRequest, EmulatorCore, EmulatorStore } from '@endorse/emulator/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMatch } from '../src/query/evaluate.ts';
import { parseQuery } from '../src/query/parser.ts';
import { createMemoryStore } from '../src/store/memory-store.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import { coreFixture, expectOutcome } from './support/core-fixture.ts';
import { sas } from './support/software-tpm.ts';

const stores: readonly (readonly [string, () => EmulatorStore])[] = [
  ['memory', createMemoryStore],
  ['SQLite', () => openSqliteStore(':memory:')],
];

/** Each collection and its key; registrations are those of the group `g-1`. */
const collections = [
  ['enrollments', 'query-enrollments', 'registrationId'],
  ['enrollmentGroups', 'query-enrollment-groups', 'enrollmentGroupId'],
  ['deviceRegistrations', 'query-registrations', 'registrationId'],
] as const;

type Target = (typeof collections)[number];
type Page = { readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly continuation?: string };
type Ask = (target: Target, text: string, page?: Partial<CollectionRequest>) => Page;

const ids = ['g-1', 'G-2', 'd-3', 'd-4', 'd-5', 'D-6', 'd-7', 'd-8'];

/** Enrollments, groups and registrations of the same ids; every other registration is of `g-1`, the rest of `G-2`. */
function fill(core: EmulatorCore, { registrations }: EmulatorStore): void {
  for (const [index, id] of ids.entries()) {
    core.createSymmetricKeyEnrollment({ registrationId: id, deviceId: `device-${index % 3}` });
    core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: id });
    const enrollmentGroupId = index % 2 === 0 ? 'g-1' : 'G-2';
    registrations.set(id, {
      registrationId: id,
      deviceId: `device-${index % 3}`,
      status: 'assigned',
      symmetricKey: { enrollmentGroupId },
    });
  }
}

async function open(store: EmulatorStore): Promise<{ readonly core: EmulatorCore; readonly ask: Ask }> {
  const { core, clock } = coreFixture({ store });
  const [{ name, primaryKey }] = core.policies;
  const token = await sas({
    resource: 'localhost',
    key: primaryKey.reveal(),
    keyName: name,
    expiresAt: clock.now() + 60_000,
  });
  const ask: Ask = ([, kind], query, page) => {
    const readBody = (): string => JSON.stringify({ query });
    return expectOutcome(
      core.collections.handle({ kind, enrollmentGroupId: 'g-1', token, readBody, ...page }),
      'page',
    );
  };
  return { core, ask };
}

/** All pages, and what `between` does after each. */
function walk(ask: Ask, target: Target, text: string, maxItemCount: number, between = (): void => {}) {
  const rows: Page['rows'][number][] = [];
  let continuation: string | undefined;
  let pages = 0;
  do {
    expect((pages += 1)).toBeLessThanOrEqual(maxPages);
    const page = ask(target, text, { maxItemCount: `${maxItemCount}`, continuation });
    rows.push(...page.rows);
    ({ continuation } = page);
    between();
  } while (continuation !== undefined);
  return rows;
}

/** More than any walk needs, so that one that goes in circles fails. */
const maxPages = 20;

const literal = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...ids, 'd-6', 'g-2', 'none').map((id) => `'${id}'`) },
  { weight: 1, arbitrary: fc.constantFrom('1', 'true', 'null', "'device-1'") },
);
const keyTerm = (key: string): fc.Arbitrary<string> =>
  fc.oneof(
    literal.map((value) => `${key} = ${value}`),
    literal.map((value) => `${value} = ${key}`),
    fc.array(literal, { minLength: 1, maxLength: 5 }).map((values) => `${key} IN [${values.join(', ')}]`),
    literal.map((value) => `${key} NOT IN [${value}]`),
    literal.map((value) => `${key} != ${value}`),
    literal.map((value) => `${key} >= ${value}`),
  );
const otherTerm = fc.constantFrom(
  "deviceId = 'device-1'",
  "deviceId != 'device-1'",
  "etag = 'x'",
  "x.y = 'd-3'",
);
const condition = (key: string): fc.Arbitrary<string> =>
  fc.letrec<{ readonly tree: string }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 3, arbitrary: keyTerm(key) },
      { weight: 1, arbitrary: otherTerm },
      { weight: 2, arbitrary: fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} AND ${b})`) },
      { weight: 2, arbitrary: fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} OR ${b})`) },
      { weight: 1, arbitrary: tie('tree').map((a) => `NOT (${a})`) },
    ),
  })).tree;

describe.each(stores)('on the %s store', (_name, openStore) => {
  test.each(collections.map((target) => ({ target })))(
    'a query of $target.0 finds what going through all of them finds',
    async ({ target }) => {
      const store = openStore();
      const { core, ask } = await open(store);
      fill(core, store);
      const [name, , key] = target;
      const every = walk(ask, target, 'SELECT *', 100);
      fc.assert(
        fc.property(condition(key), fc.integer({ min: 1, max: 9 }), (where, maxItemCount) => {
          const text = `SELECT * FROM ${name} WHERE ${where}`;
          const query = parseQuery(text, name);
          expect(walk(ask, target, text, maxItemCount)).toEqual(every.filter((row) => isMatch(query, row)));
        }),
        { numRuns: 200 },
      );
    },
  );

  test('pages of what is looked up lose and double nothing while records come and go', async () => {
    const store = openStore();
    const { core, ask } = await open(store);
    fill(core, store);
    const list = ids.map((id) => `'${id}'`).join(', ');
    let removed = false;
    const rows = walk(ask, collections[0], `SELECT * WHERE registrationId IN [${list}]`, 3, () => {
      if (removed) return;
      removed = true;
      for (const id of ['G-2', 'd-5']) core.enrollments.remove(id, undefined);
      // An old one that came anew is the last.
      core.createSymmetricKeyEnrollment({ registrationId: 'G-2' });
    });
    expect(rows.map(({ registrationId }) => registrationId)).toEqual([
      ...['g-1', 'G-2', 'd-3', 'd-4', 'D-6', 'd-7', 'd-8'],
      'G-2',
    ]);
  });

  // A search ends its page after ten thousand records, found or not.
  test('what is looked up is answered with one page, among more than a search looks at for one', async () => {
    const store = openStore();
    const { core, ask } = await open(store);
    core.createSymmetricKeyEnrollment({ registrationId: 'n-0' });
    const record = store.enrollments.get('n-0');
    if (record === undefined) throw new Error('not enrolled');
    store.transaction(() => {
      for (let index = 1; index <= 10_500; index += 1)
        store.enrollments.set(`n-${index}`, { ...record, registrationId: `n-${index}` });
    });
    const find = (where: string): unknown => {
      const { rows, continuation } = ask(collections[0], `SELECT * WHERE ${where}`);
      return [
        ...rows.map(({ registrationId }) => registrationId),
        ...(continuation === undefined ? [] : ['…']),
      ];
    };
    expect(find("registrationId >= 'n-10500' AND registrationId < 'n-10501'")).toEqual(['…']);
    expect(find("registrationId = 'n-10500'")).toEqual(['n-10500']);
    expect(find("deviceId = 'x' AND ('n-10500' = registrationId)")).toEqual([]);
    expect(find("registrationId IN ['n-10500', 'none', 'n-10400'] AND etag != 'x'")).toEqual([
      'n-10400',
      'n-10500',
    ]);
    expect(find("registrationId = 'n-10500' OR registrationId = 'N-1' OR registrationId = 'n-2'")).toEqual([
      'n-2',
      'n-10500',
    ]);
    expect(find("registrationId = 'n-1' AND registrationId = 'n-2'")).toEqual([]);
    expect(find('registrationId = 1')).toEqual([]);
  });
});
