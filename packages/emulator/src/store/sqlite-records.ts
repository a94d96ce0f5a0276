import type { StatementSync } from 'node:sqlite';
import type { GroupedRecordStore, ListedRecord } from '../core/store.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';
import type { RecordKeys } from './record-keys.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** A row of the table as statements give it. */
interface Row {
  readonly position: number;
  readonly id: string;
  readonly record: string;
}

/** A collection in the database. Every look-up takes an index, whatever there is beside it. */
export function createSqliteRecords<Record extends object>(
  database: SqliteDatabase,
  collection: string,
  keys: RecordKeys<Record>,
): GroupedRecordStore<Record> {
  const statements = prepareStatements(database);
  const { keyOf, groupOf } = keys;
  /** Kept once somebody asked: SQLite itself has to go through all records for it. */
  let known: number | undefined;
  database.onRollback(() => {
    known = undefined;
  });
  const grow = (records: number): void => {
    if (known !== undefined) known += records;
  };

  return {
    get: (id) => find(statements.get, keyOf(id))?.record,
    set: (id, record) => {
      const key = keyOf(id);
      const group = groupOf(record) ?? null;
      database.transaction(() => {
        database.noteWrite();
        if (known !== undefined && find(statements.get, key) === undefined) known += 1;
        // A record that changes its group is a new one of that group, at the end of its listing.
        statements.leaveGroup.run(collection, key, group);
        statements.set.run(collection, key, group, encodeRecord(record));
      });
    },
    delete: (id) => {
      database.noteWrite();
      const removed = Number(statements.delete.run(collection, keyOf(id)).changes);
      grow(-removed);
      return removed > 0;
    },
    *list() {
      for (const { record } of page(statements.after, 0, [])) yield record;
    },
    *entries(after = 0) {
      yield* page(statements.after, after, []);
    },
    entry: (id) => find(statements.get, keyOf(id)),
    count: () => (known ??= (statements.count.get(collection) as { readonly records: number }).records),
    *entriesOfGroup(enrollmentGroupId, after = 0) {
      yield* page(statements.ofGroup, after, [enrollmentGroupId.toLowerCase()]);
    },
    entryOfGroup: (enrollmentGroupId, id) =>
      find(statements.getOfGroup, keyOf(id), enrollmentGroupId.toLowerCase()),
    deleteGroup: (enrollmentGroupId) => {
      database.noteWrite();
      grow(-Number(statements.deleteGroup.run(collection, enrollmentGroupId.toLowerCase()).changes));
    },
  };

  function find(statement: StatementSync, ...where: readonly string[]): ListedRecord<Record> | undefined {
    const row = statement.get(collection, ...where) as Row | undefined;
    return row === undefined ? undefined : toEntry(row);
  }

  function toEntry({ position, id, record }: Row): ListedRecord<Record> {
    return { position, id, record: decodeRecord(record) as Record };
  }

  /** In pages, so that no statement stays open while whoever listens writes. */
  function* page(
    statement: StatementSync,
    after: number,
    where: readonly string[],
  ): Generator<ListedRecord<Record>> {
    let last = after;
    for (;;) {
      const rows = statement.all(collection, ...where, last, pageSize) as unknown as readonly Row[];
      for (const row of rows) yield toEntry(row);
      if (rows.length < pageSize) return;
      last = rows.at(-1)?.position ?? last;
    }
  }
}

/**
 * The same for a collection of few records that is gone through often: what a listing found stays in memory until
 * something is written, or a transaction taken back.
 */
export function createCachedRecords<Record extends object>(
  database: SqliteDatabase,
  collection: string,
  keys: RecordKeys<Record>,
): GroupedRecordStore<Record> {
  const stored = createSqliteRecords(database, collection, keys);
  let listing: readonly ListedRecord<Record>[] | undefined;
  const forget = (): void => {
    listing = undefined;
  };
  database.onRollback(forget);
  return {
    ...stored,
    set: (id, record) => {
      stored.set(id, record);
      forget();
    },
    delete: (id) => {
      forget();
      return stored.delete(id);
    },
    *list() {
      for (const { record } of load()) yield record;
    },
    *entries(after = 0) {
      for (const entry of load()) if (entry.position > after) yield entry;
    },
    deleteGroup: (enrollmentGroupId) => {
      stored.deleteGroup(enrollmentGroupId);
      forget();
    },
  };

  function load(): readonly ListedRecord<Record>[] {
    listing ??= [...stored.entries()];
    return listing;
  }
}

type Statements = { readonly [Name in keyof typeof sql]: StatementSync };

const pageSize = 256;

const sql = {
  get: 'SELECT position, id, record FROM records WHERE collection = ? AND id = ?',
  getOfGroup: `SELECT position, id, record FROM records
               WHERE collection = ? AND id = ? AND enrollment_group = ?`,
  leaveGroup: 'DELETE FROM records WHERE collection = ? AND id = ? AND enrollment_group IS NOT ?',
  set: `INSERT INTO records (collection, id, enrollment_group, record) VALUES (?, ?, ?, ?)
        ON CONFLICT (collection, id) DO UPDATE SET record = excluded.record`,
  delete: 'DELETE FROM records WHERE collection = ? AND id = ?',
  after: `SELECT position, id, record FROM records WHERE collection = ? AND position > ?
          ORDER BY position LIMIT ?`,
  count: 'SELECT count(*) AS records FROM records WHERE collection = ?',
  ofGroup: `SELECT position, id, record FROM records
            WHERE collection = ? AND enrollment_group = ? AND position > ? ORDER BY position LIMIT ?`,
  deleteGroup: 'DELETE FROM records WHERE collection = ? AND enrollment_group = ?',
};

const prepared = new WeakMap<SqliteDatabase, Statements>();

/** Every collection runs the same statements. */
function prepareStatements(database: SqliteDatabase): Statements {
  const known = prepared.get(database);
  if (known !== undefined) return known;
  const entries = Object.entries(sql).map(([name, text]) => [name, database.connection.prepare(text)]);
  const statements = Object.fromEntries(entries) as Statements;
  prepared.set(database, statements);
  return statements;
}
