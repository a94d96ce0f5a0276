import type { EmulatorStore, GroupedRecordStore } from '../core/store.ts';
import type { HubStore } from '../hub/hub-store.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';
import type { RecordKeys } from './record-keys.ts';
import { collectionKeys, hubCollectionKeys } from './record-keys.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { openSqliteDatabase } from './sqlite-database.ts';
import { createCachedRecords, createSqliteRecords } from './sqlite-records.ts';

/** Values by name that an emulator finds again when it starts the next time. */
export interface SettingsStore {
  /** The value as it was set; undefined when there is none. */
  get(name: string): unknown;
  /** Writes a value over the one before, if any. */
  set(name: string, value: object): void;
}

/** A store in a file. */
export interface SqliteStore extends EmulatorStore {
  readonly settings: SettingsStore;
  /** Closes the file; harmless when repeated. */
  close(): void;
}

/**
 * Opens the store in a file, or creates it; `:memory:` is one that is gone when it is closed. For emulators that bring their
 * own `store`; `dataDirectory` does the same and keeps CA, keys and ports beside it.
 *
 * Throws `ERR_EMULATOR_DATA_IN_USE` when another process has it open, `ERR_EMULATOR_DATA` when it cannot be used.
 */
export function openSqliteStore(file: string): SqliteStore {
  const database = openSqliteDatabase(file);
  const hubs = new Map<string, HubStore>();
  const records = <Record extends object>(
    name: string,
    keys: RecordKeys<Record>,
  ): GroupedRecordStore<Record> =>
    keys.areFew ? createCachedRecords(database, name, keys) : createSqliteRecords(database, name, keys);
  return {
    enrollments: records('enrollments', collectionKeys.enrollments),
    enrollmentGroups: records('enrollmentGroups', collectionKeys.enrollmentGroups),
    caCertificates: records('caCertificates', collectionKeys.caCertificates),
    registrations: records('registrations', collectionKeys.registrations),
    deviceMemories: records('deviceMemories', collectionKeys.deviceMemories),
    hub: (hubName) => {
      const known = hubs.get(hubName) ?? {
        devices: records(`devices of ${hubName}`, hubCollectionKeys.devices),
        twins: records(`twins of ${hubName}`, hubCollectionKeys.twins),
      };
      hubs.set(hubName, known);
      return known;
    },
    transaction: database.transaction,
    settings: createSettings(database),
    close: database.close,
  };
}

function createSettings(database: SqliteDatabase): SettingsStore {
  const read = database.connection.prepare('SELECT value FROM settings WHERE name = ?');
  const write = database.connection.prepare(
    'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  return {
    get: (name) => {
      const row = read.get(name) as { readonly value: string } | undefined;
      return row === undefined ? undefined : decodeRecord(row.value);
    },
    set: (name, value) => {
      database.noteWrite();
      write.run(name, encodeRecord(value));
    },
  };
}
