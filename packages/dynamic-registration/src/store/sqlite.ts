import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SqlConnection, SqlDatabase, SqlRow, SqlValue } from './sql.ts';
import { StoreError } from './store-error.ts';

/** How long a statement waits for another process's transaction, in milliseconds. */
const defaultBusyTimeoutMs = 5_000;

/**
 * Opens an SQLite database through `node:sqlite`: nothing to install. `:memory:` keeps it in memory.
 *
 * A file is made with mode 0600. Write-ahead log and `synchronous=FULL`: what was answered has reached the disk. One
 * connection, so transactions wait for each other in a queue of this process, and for other processes up to 5 s.
 * Rejects with `ERR_STORE_OPEN`.
 */
export async function openSqlite(
  path: string,
  options: {
    /** How long a transaction waits for that of another process, in milliseconds; default 5,000. */
    readonly busyTimeoutMs?: number;
  } = {},
): Promise<SqlDatabase> {
  const { DatabaseSync } = await import('node:sqlite');
  const open = (): InstanceType<typeof DatabaseSync> => {
    if (path !== ':memory:') {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      closeSync(openSync(path, 'a', 0o600));
      chmodSync(path, 0o600);
    }
    const opened = new DatabaseSync(path, { timeout: options.busyTimeoutMs ?? defaultBusyTimeoutMs });
    opened.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    return opened;
  };
  let database: InstanceType<typeof DatabaseSync>;
  try {
    database = open();
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('ERR_STORE_OPEN', `cannot open the database ${path}: ${problem}`, {
      cause,
      remedy: `Make ${dirname(path)} a directory that this user may write to, and ${path} a database of ours.`,
    });
  }
  return createSqlite(database);
}

/** SQLITE_BUSY, SQLITE_LOCKED, SQLITE_IOERR and SQLITE_FULL, whatever their extended code. */
const passingCodes = new Set([5, 6, 10, 13]);

function passes(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false;
  return passingCodes.has(Number(error.errcode) & 0xff);
}

function unavailable(cause: unknown): StoreError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return new StoreError('ERR_STORE_UNAVAILABLE', `the database cannot be used now: ${problem}`, {
    cause,
    remedy: 'Try again; if it stays so, look for another process that holds it, and at the disk.',
  });
}

interface Statement {
  all(named: Record<string, SqlValue>): unknown[];
}

interface Database {
  prepare(text: string): Statement;
  exec(text: string): void;
  close(): void;
}

function createSqlite(database: Database): SqlDatabase {
  const statements = new Map<string, Statement>();
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();

  const runNow = (text: string, parameters: readonly SqlValue[] = []): readonly SqlRow[] => {
    if (closed) throw new StoreError('ERR_STORE_CLOSED', 'the store was closed');
    let statement = statements.get(text);
    if (statement === undefined) {
      statement = database.prepare(text);
      statements.set(text, statement);
    }
    // `$1` is a name to node:sqlite, not a position.
    const named = Object.fromEntries(parameters.map((value, index) => [String(index + 1), value]));
    try {
      return statement.all(named) as SqlRow[];
    } catch (error) {
      throw passes(error) ? unavailable(error) : error;
    }
  };
  const sql: SqlConnection = { run: async (text, parameters) => runNow(text, parameters) };

  // One connection has one transaction at a time; everything else has to stay out of it.
  const queued = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
  const transaction = <Value>(work: (connection: SqlConnection) => Promise<Value>): Promise<Value> =>
    queued(async () => {
      runNow('BEGIN IMMEDIATE');
      try {
        const value = await work(sql);
        runNow('COMMIT');
        return value;
      } catch (error) {
        if (!closed) database.exec('ROLLBACK');
        throw error;
      }
    });
  const close = (): Promise<void> =>
    queued(async () => {
      if (closed) return;
      closed = true;
      database.close();
    });
  return {
    engine: 'sqlite',
    run: (text, parameters) => queued(() => sql.run(text, parameters)),
    transaction,
    exclusive: transaction,
    close,
    [Symbol.asyncDispose]: close,
  };
}
