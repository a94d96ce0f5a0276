import { integerColumn } from './sql.ts';
import type { SqlDatabase } from './sql.ts';
import { StoreError } from './store-error.ts';

/**
 * The schema, step by step; a step that was released is never edited. Both engines take the same text: `TEXT` and
 * `BIGINT` columns only, times in milliseconds since 1970, hashes in hex.
 *
 * What must never happen is a constraint: two devices of one manufacturer id, a token used more often than it may
 * be, two live credentials in one slot of a device.
 */
const migrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE tokens (
       reference TEXT PRIMARY KEY,
       issuer TEXT NOT NULL,
       token_id TEXT,
       key_id TEXT,
       max_uses BIGINT CHECK (max_uses > 0),
       uses BIGINT NOT NULL DEFAULT 0 CHECK (uses >= 0),
       expires_at BIGINT,
       first_seen_at BIGINT NOT NULL,
       revoked_at BIGINT,
       CHECK (max_uses IS NULL OR uses <= max_uses)
     )`,
    `CREATE TABLE devices (
       device_id TEXT PRIMARY KEY,
       manufacturer_id TEXT NOT NULL UNIQUE,
       sent_id TEXT NOT NULL,
       name TEXT NOT NULL,
       recipe TEXT NOT NULL,
       definition TEXT NOT NULL,
       token_reference TEXT NOT NULL REFERENCES tokens (reference),
       proof_hash TEXT,
       proof_pepper BIGINT,
       ek_name TEXT,
       created_at BIGINT NOT NULL,
       attempts BIGINT NOT NULL DEFAULT 1,
       acknowledged_at BIGINT,
       revoked_at BIGINT
     )`,
    'CREATE INDEX devices_by_token ON devices (token_reference)',
    `CREATE TABLE credentials (
       access_key TEXT PRIMARY KEY,
       device_id TEXT NOT NULL REFERENCES devices (device_id) ON DELETE CASCADE,
       slot TEXT NOT NULL CHECK (slot IN ('current', 'next')),
       secret_hash TEXT NOT NULL,
       pepper_version BIGINT NOT NULL,
       created_at BIGINT NOT NULL,
       first_used_at BIGINT,
       revoked_at BIGINT,
       revoked_because TEXT
     )`,
    // A registration gives one live secret; during a rotation there is the old one and the next one.
    'CREATE UNIQUE INDEX credentials_live ON credentials (device_id, slot) WHERE revoked_at IS NULL',
    'CREATE INDEX credentials_revoked ON credentials (revoked_at) WHERE revoked_at IS NOT NULL',
    `CREATE TABLE audit_events (
       event_id TEXT PRIMARY KEY,
       occurred_at BIGINT NOT NULL,
       event TEXT NOT NULL,
       token_reference TEXT,
       manufacturer_id TEXT,
       device_id TEXT,
       access_key TEXT,
       source TEXT,
       reason TEXT
     )`,
    'CREATE INDEX audit_events_by_time ON audit_events (occurred_at, event_id)',
  ],
];

/** Brings the tables up to date, one process at a time. Rejects with `ERR_STORE_SCHEMA` when a newer version made them. */
export async function migrate(database: SqlDatabase, now: number): Promise<void> {
  await database.exclusive(async (sql) => {
    await sql.run(
      'CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)',
    );
    const [row] = await sql.run('SELECT COALESCE(MAX(version), 0) AS version FROM schema_migrations');
    const version = row === undefined ? 0 : integerColumn(row, 'version');
    if (version > migrations.length) {
      throw new StoreError(
        'ERR_STORE_SCHEMA',
        `the tables have version ${version}; this program knows ${migrations.length}`,
        {
          remedy: 'Update @endorse/dynamic-registration.',
        },
      );
    }
    for (const [index, statements] of migrations.entries()) {
      if (index < version) continue;
      for (const statement of statements) await sql.run(statement);
      await sql.run('INSERT INTO schema_migrations (version, applied_at) VALUES ($1, $2)', [index + 1, now]);
    }
  });
}
