import type { Clock } from '@endorse/interface';
import { InvalidArgumentError, Secret } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import type { Pool, PoolClient } from 'pg';
import type { SqlConnection, SqlDatabase, SqlRow, SqlValue } from './sql.ts';
import { StoreError } from './store-error.ts';

/** Options of {@link openPostgresql}. */
export interface PostgresqlOptions {
  /** `postgresql://…`; a `Secret`, because it may hold a password. */
  readonly url: Secret;
  /** The most connections of this process, 1 to 100; default 10. */
  readonly maxConnections?: number;
  /** How long an operation is tried again while the database is away or busy, in milliseconds, 0 to 120,000; default 15,000. */
  readonly retryForMs?: number;
  /** Loads the package `pg`, for a program that brings its own; default `import('pg')`. */
  readonly driver?: () => Promise<unknown>;
  /** Waits between attempts; default the system's. */
  readonly clock?: Clock;
}

/** How long a connection may take, in milliseconds. */
const connectTimeoutMs = 5_000;

/** How long one statement may take, in milliseconds: the database stops it, and we stop waiting a little later. */
const statementTimeoutMs = 10_000;

/**
 * Opens a PostgreSQL database through `pg`, which the application installs. Transactions run at `READ COMMITTED`: every
 * rule is a constraint or a conditional statement. Whatever a restart or another transaction broke is run again, with
 * growing, jittered pauses, until `retryForMs` have passed. Rejects with `ERR_STORE_DRIVER`, `ERR_STORE_OPEN`.
 */
export async function openPostgresql(options: PostgresqlOptions): Promise<SqlDatabase> {
  const { url, maxConnections = 10, retryForMs = 15_000, clock = systemClock } = options;
  if (!(url instanceof Secret)) throw new InvalidArgumentError('options.url', 'must be a Secret');
  checkRange('options.maxConnections', maxConnections, 1, 100);
  checkRange('options.retryForMs', retryForMs, 0, 120_000);
  const pool = await createPool(url, maxConnections, options.driver ?? (() => import('pg')));
  const database = createPostgresql(pool, { retryForMs, clock });
  try {
    await database.run('SELECT 1');
  } catch (cause) {
    await database.close();
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('ERR_STORE_OPEN', `cannot reach the database: ${problem}`, {
      cause,
      remedy: 'Check that PostgreSQL runs, and host, name, user and password of the database URL.',
    });
  }
  return database;
}

async function createPool(url: Secret, max: number, load: () => Promise<unknown>): Promise<Pool> {
  let driver: typeof import('pg');
  try {
    driver = (await load()) as typeof import('pg');
  } catch (cause) {
    throw new StoreError('ERR_STORE_DRIVER', 'the package pg is not installed', {
      cause,
      remedy: 'npm install pg',
    });
  }
  const pool = new driver.default.Pool({
    connectionString: url.revealText(),
    max,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + 2_000,
    allowExitOnIdle: true,
    application_name: 'endorse-registrar',
  });
  // A connection that breaks while idle is replaced; without a listener it would end the process.
  pool.on('error', () => undefined);
  return pool;
}

function createPostgresql(
  pool: Pool,
  { retryForMs, clock }: { readonly retryForMs: number; readonly clock: Clock },
): SqlDatabase {
  const names = new Map<string, string>();
  let closing: Promise<void> | undefined;

  const runOn = async (
    client: Pool | PoolClient,
    text: string,
    parameters: readonly SqlValue[] = [],
  ): Promise<readonly SqlRow[]> => {
    // A named statement is parsed and planned once a connection.
    const name = names.get(text) ?? `endorse_${names.size}`;
    names.set(text, name);
    const result = await client.query<Record<string, unknown>>({ name, text, values: [...parameters] });
    return result.rows;
  };

  const retried = async <Value>(attempt: () => Promise<Value>): Promise<Value> => {
    const giveUpAt = clock.now() + retryForMs;
    const patience = AbortSignal.timeout(retryForMs + 30_000);
    for (let round = 0; ; round += 1) {
      if (closing !== undefined) throw new StoreError('ERR_STORE_CLOSED', 'the store was closed');
      try {
        return await attempt();
      } catch (error) {
        if (!canBeTriedAgain(error)) throw error;
        // Full jitter: everybody who waited for one lock must not come back at once.
        const pauseMs = Math.random() * Math.min(1_000, 20 * 2 ** Math.min(round, 8));
        if (clock.now() + pauseMs >= giveUpAt) throw unavailable(error);
        await clock.sleep(pauseMs, patience);
      }
    }
  };

  const inTransaction = async <Value>(
    work: (sql: SqlConnection) => Promise<Value>,
    begin: readonly string[],
  ): Promise<Value> => {
    const client = await pool.connect();
    let broken = true;
    const onError = (): void => undefined;
    client.on('error', onError);
    try {
      for (const statement of begin) await client.query(statement);
      try {
        const value = await work({ run: (text, parameters) => runOn(client, text, parameters) });
        await client.query('COMMIT');
        broken = false;
        return value;
      } catch (error) {
        await client.query('ROLLBACK');
        broken = false;
        throw error;
      }
    } catch (error) {
      // A failed ROLLBACK must not hide why.
      throw broken && !canBeTriedAgain(error) ? unavailable(error) : error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  };

  const close = (): Promise<void> => (closing ??= pool.end());
  return {
    engine: 'postgresql',
    run: (text, parameters) => retried(() => runOn(pool, text, parameters)),
    transaction: (work) => retried(() => inTransaction(work, ['BEGIN'])),
    exclusive: (work) =>
      retried(() => inTransaction(work, ['BEGIN', `SELECT pg_advisory_xact_lock(${migrationLock})`])),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Any number will do, as long as every version uses the same: `ENDO` in ASCII. */
const migrationLock = 0x454e444f;

/** Classes of SQLSTATE: connection exceptions, insufficient resources, operator intervention. */
const passingClasses = new Set(['08', '53', '57']);
const passingCodes = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '25P02', // in_failed_sql_transaction, after a statement that the connection lost
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT', // the socket of a server that is restarting
]);

function canBeTriedAgain(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string')
    return passingCodes.has(code) || (code.length === 5 && passingClasses.has(code.slice(0, 2)));
  // pg has no code for these.
  return /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|query read timeout|connection ended/i.test(
    error.message,
  );
}

function unavailable(cause: unknown): StoreError {
  return new StoreError('ERR_STORE_UNAVAILABLE', 'the database is away or overloaded', {
    cause,
    remedy: 'Try again; if it stays so, look at the database.',
  });
}

function checkRange(name: string, value: number, minimum: number, maximum: number): void {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return;
  throw new InvalidArgumentError(name, `must be ${minimum} to ${maximum}`, 'ERR_OUT_OF_RANGE');
}
