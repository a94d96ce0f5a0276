/**
 * Both stores against a model that is a plain array: whatever is written, removed and taken back, they hold the same
 * records in the same order, also through pages and through groups. The SQLite one is in memory here; what it
 * promises about files is in `data-directory.int.test.ts` and `kill.int.test.ts`.
 */
import { Secret } from '@endorse/interface';
import type { EmulatorStore, RegistrationRecord } from '@endorse/emulator/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../src/store/memory-store.ts';
import { decodeRecord, encodeRecord } from '../src/store/record-codec.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';

const stores: readonly (readonly [string, () => EmulatorStore])[] = [
  ['memory', createMemoryStore],
  ['SQLite', () => openSqliteStore(':memory:')],
];

const id = fc.constantFrom('a', 'A', 'b', 'B', 'c', 'd');
const group = fc.constantFrom(undefined, 'g', 'G', 'h');
type Step =
  | { readonly do: 'set'; readonly id: string; readonly group: string | undefined; readonly etag: string }
  | { readonly do: 'delete'; readonly id: string }
  | { readonly do: 'delete-group'; readonly group: string };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), id, group, etag: fc.string() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), id }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('delete-group' as const), group: fc.constantFrom('g', 'H') }),
  },
);

function take({ registrations }: EmulatorStore, model: RegistrationRecord[], next: Step): void {
  switch (next.do) {
    case 'set': {
      const { etag } = next;
      const symmetricKey =
        next.group === undefined ? {} : { symmetricKey: { enrollmentGroupId: next.group } };
      const record = { registrationId: next.id, etag, ...symmetricKey };
      registrations.set(next.id, record);
      const index = model.findIndex((other) => isSame(other.registrationId, next.id));
      const known = model[index];
      if (known !== undefined && isSame(groupOf(known), groupOf(record))) model[index] = record;
      else model.splice(0, model.length, ...model.filter((other) => other !== known), record);
      return;
    }
    case 'delete': {
      const index = model.findIndex(({ registrationId }) => isSame(registrationId, next.id));
      expect(registrations.delete(next.id)).toBe(index >= 0);
      if (index >= 0) model.splice(index, 1);
      return;
    }
    case 'delete-group':
      registrations.deleteGroup(next.group);
      model.splice(0, model.length, ...model.filter((record) => !isSame(groupOf(record), next.group)));
      return;
    default:
      next satisfies never;
  }
}

function groupOf({ symmetricKey }: RegistrationRecord): string | undefined {
  return symmetricKey?.['enrollmentGroupId'] as string | undefined;
}

function isSame(left: string | undefined, right: string | undefined): boolean {
  return left?.toLowerCase() === right?.toLowerCase();
}

test.each(stores)('the %s store holds what was written last, in the order it came', (_name, open) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const store = open();
      const model: RegistrationRecord[] = [];
      const { registrations } = store;
      for (const each of steps) {
        take(store, model, each);
        expect(registrations.count()).toBe(model.length);
      }
      expect([...registrations.list()]).toEqual(model);
      const entries = [...registrations.entries()];
      expect(entries.map(({ record }) => record)).toEqual(model);
      for (const [index, { position }] of entries.entries()) {
        expect([...registrations.entries(position)]).toEqual(entries.slice(index + 1));
      }
      const ofGroup = [...registrations.entriesOfGroup('G')];
      expect(ofGroup).toEqual(entries.filter(({ record }) => isSame(groupOf(record), 'g')));
      for (const { registrationId } of model) {
        expect(registrations.get(registrationId.toUpperCase())).toEqual(
          model.find((other) => isSame(other.registrationId, registrationId)),
        );
      }
    }),
    { numRuns: 60 },
  );
});

test('a transaction that throws leaves nothing behind in SQLite, in no collection', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), fc.array(step, { maxLength: 8 }), (kept, lost) => {
      const store = openSqliteStore(':memory:');
      const model: RegistrationRecord[] = [];
      store.transaction(() => {
        for (const each of kept) take(store, model, each);
        // A step within a step is part of it.
        store.transaction(() => store.caCertificates.set('kept', { name: 'kept', certificate: 'x' }));
      });
      const failure = new Error('half-way');
      expect(() =>
        store.transaction(() => {
          const copy = [...model];
          for (const each of lost) take(store, copy, each);
          store.caCertificates.set('lost', { name: 'lost', certificate: 'x' });
          store.hub('hub').devices.set('lost', { deviceId: 'lost', keys: [] });
          expect([...store.caCertificates.list()]).toHaveLength(2);
          expect(store.registrations.count()).toBe(copy.length);
          throw failure;
        }),
      ).toThrow(failure);
      expect([...store.registrations.list()]).toEqual(model);
      expect(store.registrations.count()).toBe(model.length);
      expect([...store.caCertificates.list()].map(({ name }) => name)).toEqual(['kept']);
      expect(store.hub('hub').devices.count()).toBe(0);
    }),
    { numRuns: 30 },
  );
});

test.each(stores)(
  'the %s store pages through more records than it reads at once, and survives removals',
  (_name, open) => {
    const { caCertificates: records } = open();
    for (let index = 0; index < 3000; index += 1)
      records.set(`ca-${index}`, { name: `ca-${index}`, certificate: '' });
    for (let index = 0; index < 2900; index += 1) records.delete(`ca-${index}`);
    const [first, second] = [...records.entries()];
    expect(first?.record.name).toBe('ca-2900');
    expect([...records.entries(first?.position)][0]).toEqual(second);
    records.set('ca-2900', { name: 'ca-2900', certificate: 'replaced' });
    expect([...records.list()][0]).toEqual({ name: 'ca-2900', certificate: 'replaced' });
    for (const { name } of records.list()) records.delete(name);
    expect(records.count()).toBe(0);
  },
);

test.each(stores)(
  'the %s store tells device ids of a hub apart by case, and hubs by their names',
  (_name, open) => {
    const store = open();
    store.hub('one').devices.set('Dev', { deviceId: 'Dev', keys: [Uint8Array.of(1, 2)] });
    expect(store.hub('one').devices.get('Dev')?.keys).toEqual([Uint8Array.of(1, 2)]);
    expect(store.hub('one').devices.get('dev')).toBeUndefined();
    expect(store.hub('two').devices.get('Dev')).toBeUndefined();
  },
);

test('a record comes back as it was: bytes, secrets, and members that look like their notation', () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  const member = fc.oneof(
    json,
    fc.uint8Array({ maxLength: 20 }),
    fc.dictionary(fc.constantFrom('$', 'x'), json),
  );
  fc.assert(
    fc.property(
      fc.dictionary(fc.oneof(fc.string(), fc.constant('$'), fc.constant('__proto__')), member),
      (record) => {
        // JSON knows no negative zero, and neither does any body of the service.
        const plain = normalize(record);
        expect(decodeRecord(encodeRecord(plain))).toEqual(plain);
      },
    ),
    { numRuns: 200 },
  );
  const secret = Secret.fromText('do not print');
  const text = encodeRecord({ secret });
  expect((decodeRecord(text) as { secret: Secret }).secret.revealText()).toBe('do not print');
});

function normalize(value: unknown): object {
  const walk = (each: unknown): unknown => {
    if (Object.is(each, -0)) return 0;
    if (typeof each !== 'object' || each === null) return each;
    if (each instanceof Uint8Array) return each;
    if (Array.isArray(each)) return each.map(walk);
    return Object.fromEntries(Object.entries(each).map(([key, member]) => [key, walk(member)]));
  };
  return walk(value) as object;
}
