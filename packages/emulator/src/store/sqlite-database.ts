/**
 * One SQLite file, held by one process: opened with its lock for as long as the process lives (the system lets go of it
 * however the process ends), every commit on the disk before it returns.
 */
import type { DatabaseSync } from 'node:sqlite';
import { EmulatorError } from '../emulator-error.ts';

/** An open database and the steps taken on it. */
export interface SqliteDatabase {
  readonly connection: DatabaseSync;
  /** Runs `work` as one transaction; inside another, as a part of that one. Only a step that writes costs anything. */
  transaction<Result>(work: () => Result): Result;
  /** To be called before every write. */
  readonly noteWrite: () => void;
  /** Calls back whenever a transaction was taken back. */
  onRollback(listener: () => void): void;
  /** Closes the file and lets go of its lock; harmless when repeated. */
  close(): void;
}

/**
 * Opens the database, or creates it.
 *
 * Throws `ERR_EMULATOR_DATA_IN_USE` when another process has it open, `ERR_EMULATOR_DATA` when it is none of ours, of a
 * later version, or cannot be written.
 */
export function openSqliteDatabase(file: string): SqliteDatabase {
  const connection = connect(file);
  const rollbackListeners: (() => void)[] = [];
  let depth = 0;
  let hasBegun = false;
  const step = <Result>(work: () => Result): Result => {
    depth += 1;
    try {
      const result = work();
      if (depth === 1 && hasBegun) connection.exec('COMMIT');
      return result;
    } catch (error) {
      if (depth === 1 && connection.isTransaction) {
        connection.exec('ROLLBACK');
        for (const listener of rollbackListeners) listener();
      }
      throw error;
    } finally {
      depth -= 1;
      if (depth === 0) hasBegun = false;
    }
  };
  return {
    connection,
    transaction: step,
    noteWrite: () => {
      if (depth === 0 || hasBegun) return;
      connection.exec('BEGIN IMMEDIATE');
      hasBegun = true;
    },
    onRollback: (listener) => void rollbackListeners.push(listener),
    close: () => {
      if (connection.isOpen) connection.close();
    },
  };
}

function connect(file: string): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    const { DatabaseSync: Database } = loadSqlite();
    connection = new Database(file);
    for (const pragma of pragmas) connection.exec(`PRAGMA ${pragma}`);
    connection.exec('BEGIN EXCLUSIVE');
    prepareSchema(connection);
    connection.exec('COMMIT');
    return connection;
  } catch (cause) {
    if (connection?.isOpen === true) connection.close();
    throw toEmulatorError(file, cause);
  }
}

const pragmas = [
  // Rides over the moment in which the one before us is ending.
  'busy_timeout = 1000',
  // One process for as long as it lives; also spares WAL its shared memory.
  'locking_mode = EXCLUSIVE',
  'journal_mode = WAL',
  'synchronous = FULL',
  'foreign_keys = ON',
  'trusted_schema = OFF',
];

// "EndE", so that `file` and we ourselves know whose database it is.
const applicationId = 0x45_6e_64_45;
const schemaVersion = 1;

const schema = `
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE records (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    enrollment_group TEXT,
    record TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX records_by_id ON records (collection, id);
  CREATE INDEX records_in_order ON records (collection);
  CREATE INDEX records_by_group ON records (collection, enrollment_group, position)
    WHERE enrollment_group IS NOT NULL;
`;

function prepareSchema(connection: DatabaseSync): void {
  const read = (pragma: string): unknown => connection.prepare(`PRAGMA ${pragma}`).get()?.[pragma];
  const version = read('user_version');
  const owner = read('application_id');
  if (version === 0 && owner === 0) {
    const { tables } = connection.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() ?? {};
    if (tables !== 0) throw new Error('it is the database of another program');
    connection.exec(schema);
    connection.exec(`PRAGMA application_id = ${applicationId}`);
    connection.exec(`PRAGMA user_version = ${schemaVersion}`);
    return;
  }
  if (owner !== applicationId) throw new Error('it is the database of another program');
  if (version !== schemaVersion) {
    throw new Error(`it has version ${String(version)}, and this emulator reads version ${schemaVersion}`);
  }
}

function toEmulatorError(file: string, cause: unknown): EmulatorError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (codeOf(cause) === sqliteBusy) {
    return new EmulatorError('ERR_EMULATOR_DATA_IN_USE', `${file} is in use by another emulator`, {
      cause,
      remedy: 'Stop the other emulator, or give this one a data directory of its own.',
    });
  }
  return new EmulatorError('ERR_EMULATOR_DATA', `cannot use ${file}: ${reason}`, {
    cause,
    remedy: 'Name a directory that is writable and empty, or that an emulator of this version has filled.',
  });
}

const sqliteBusy = 5;

function codeOf(error: unknown): number | undefined {
  const { errcode } = (error ?? {}) as { readonly errcode?: number };
  // The low byte is the primary code of an extended one.
  return errcode === undefined ? undefined : errcode & 0xff;
}

/**
 * Loads SQLite only when somebody wants durable data. In Node.js 22 it says once a process that it is experimental;
 * its part that we use has not changed since, and those who run the emulator can do nothing about it.
 */
function loadSqlite(): typeof import('node:sqlite') {
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    const isExpected = String(warning).includes('SQLite is an experimental feature');
    if (!isExpected) Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
