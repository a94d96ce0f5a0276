/**
 * The credential store of a registrar: devices, credentials, tokens and an audit log, in SQLite (nothing to install)
 * or PostgreSQL (several processes). Races are decided by constraints and conditional statements, in the transaction
 * that creates the device; secrets are kept as keyed hashes.
 *
 * @example
 * ```js
 * import { Secret } from '@endorse/interface';
 * import { openSqlite, openStore } from '@endorse/dynamic-registration/store';
 *
 * // 32 random bytes that are kept apart from the database.
 * export async function open(pepper) {
 *   const database = await openSqlite('./registrar/registrar.db');
 *   return openStore({ database, peppers: { 1: Secret.fromBytes(pepper) } });
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { AuditEvent, AuditEventName } from './audit.ts';
export type { AuthenticatedDevice, PresentedCredential } from './authenticate.ts';
export type { Peppers } from './peppers.ts';
export type { PostgresqlOptions } from './postgresql.ts';
export { openPostgresql } from './postgresql.ts';
export type { DeviceRecord, TokenRecord } from './records.ts';
export type {
  IssuedCredential,
  RegisteredToken,
  RegistrationOutcome,
  RegistrationRequest,
} from './registration-request.ts';
export type { RevocationWatcher, RevocationWatcherOptions } from './revocation-watcher.ts';
export { watchRevocations } from './revocation-watcher.ts';
export type { SqlConnection, SqlDatabase, SqlRow, SqlValue } from './sql.ts';
export { openSqlite } from './sqlite.ts';
export type { StoreErrorCode } from './store-error.ts';
export { StoreError } from './store-error.ts';
export type { RegistrationStore, StoreOptions } from './store.ts';
export { openStore } from './store.ts';
