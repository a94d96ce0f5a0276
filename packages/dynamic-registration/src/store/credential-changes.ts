/** Rotation, acknowledgement and revocation: each one transaction that begins with the row of the device. */
import { randomUUID } from 'node:crypto';
import type { AuthenticatedDevice } from './authenticate.ts';
import type { AuditEventName } from './audit.ts';
import { writeAudit } from './audit.ts';
import type { PepperedHash } from './peppers.ts';
import type { IssuedCredential } from './registration-request.ts';
import type { SqlConnection, SqlDatabase } from './sql.ts';
import { textColumn } from './sql.ts';

/**
 * Adds a next credential. The current one stays good until the next one is used: a reply that gets lost costs
 * nothing, and asking again replaces the next one. False when the device or its credential is not live any more.
 */
export async function rotateCredential(
  database: SqlDatabase,
  device: AuthenticatedDevice,
  next: IssuedCredential,
  hash: PepperedHash,
  now: number,
  onIssued?: (credential: IssuedCredential) => Promise<void>,
): Promise<{ readonly rotated: boolean; readonly voided: readonly string[] }> {
  return database.transaction(async (sql) => {
    if (!(await lockLiveDevice(sql, device.deviceId))) return { rotated: false, voided: [] };
    const [live] = await sql.run(
      'SELECT access_key FROM credentials WHERE access_key = $1 AND device_id = $2 AND revoked_at IS NULL',
      [device.accessKey, device.deviceId],
    );
    if (live === undefined) return { rotated: false, voided: [] };
    const voided = await sql.run(
      `UPDATE credentials SET revoked_at = $2, revoked_because = 'rotated again'
       WHERE device_id = $1 AND slot = 'next' AND revoked_at IS NULL RETURNING access_key`,
      [device.deviceId, now],
    );
    await sql.run(
      `INSERT INTO credentials (access_key, device_id, slot, secret_hash, pepper_version, created_at)
       VALUES ($1, $2, 'next', $3, $4, $5) ON CONFLICT (access_key) DO NOTHING`,
      [next.accessKey, device.deviceId, hash.hash, hash.pepperVersion, now],
    );
    await note(sql, 'credential-rotated', now, { deviceId: device.deviceId, accessKey: next.accessKey });
    await onIssued?.(next);
    return { rotated: true, voided: voided.map((row) => textColumn(row, 'access_key')) };
  });
}

/** Notes that the device has stored its credentials. False when it is not live. */
export async function acknowledgeDevice(
  database: SqlDatabase,
  { deviceId, accessKey }: AuthenticatedDevice,
  now: number,
): Promise<boolean> {
  return database.transaction(async (sql) => {
    const updated = await sql.run(
      `UPDATE devices SET acknowledged_at = $2
       WHERE device_id = $1 AND revoked_at IS NULL AND acknowledged_at IS NULL RETURNING device_id`,
      [deviceId, now],
    );
    if (updated.length === 0) return lockLiveDevice(sql, deviceId);
    await note(sql, 'device-acknowledged', now, { deviceId, accessKey });
    return true;
  });
}

/** Voids one credential; the device is told if that was live. */
export async function revokeCredential(
  database: SqlDatabase,
  accessKey: string,
  now: number,
): Promise<AuthenticatedDevice | undefined> {
  return database.transaction(async (sql) => {
    const [row] = await sql.run(
      `UPDATE credentials SET revoked_at = $2, revoked_because = 'revoked'
       WHERE access_key = $1 AND revoked_at IS NULL RETURNING device_id`,
      [accessKey, now],
    );
    if (row === undefined) return undefined;
    const deviceId = textColumn(row, 'device_id');
    await note(sql, 'credential-revoked', now, { deviceId, accessKey });
    return { deviceId, accessKey };
  });
}

/** Voids a device and all its credentials; its id stays taken. Undefined when there is no such live device. */
export async function revokeDevice(
  database: SqlDatabase,
  deviceId: string,
  now: number,
): Promise<readonly AuthenticatedDevice[] | undefined> {
  return database.transaction(async (sql) => {
    const revoked = await sql.run(
      'UPDATE devices SET revoked_at = $2 WHERE device_id = $1 AND revoked_at IS NULL RETURNING device_id',
      [deviceId, now],
    );
    if (revoked.length === 0) return undefined;
    const voided = await voidAll(sql, deviceId, now);
    await note(sql, 'device-revoked', now, { deviceId });
    return voided;
  });
}

/** Forgets a device, so that its manufacturer id can register anew. Undefined when there is none. */
export async function releaseDevice(
  database: SqlDatabase,
  manufacturerId: string,
  now: number,
): Promise<readonly AuthenticatedDevice[] | undefined> {
  return database.transaction(async (sql) => {
    const [row] = await sql.run(
      'UPDATE devices SET attempts = attempts WHERE manufacturer_id = $1 RETURNING device_id',
      [manufacturerId],
    );
    if (row === undefined) return undefined;
    const deviceId = textColumn(row, 'device_id');
    const voided = await voidAll(sql, deviceId, now);
    await sql.run('DELETE FROM devices WHERE device_id = $1', [deviceId]);
    await note(sql, 'device-released', now, { deviceId, manufacturerId });
    return voided;
  });
}

async function lockLiveDevice(sql: SqlConnection, deviceId: string): Promise<boolean> {
  const locked = await sql.run(
    'UPDATE devices SET attempts = attempts WHERE device_id = $1 AND revoked_at IS NULL RETURNING device_id',
    [deviceId],
  );
  return locked.length > 0;
}

async function voidAll(
  sql: SqlConnection,
  deviceId: string,
  now: number,
): Promise<readonly AuthenticatedDevice[]> {
  const voided = await sql.run(
    `UPDATE credentials SET revoked_at = $2, revoked_because = 'device revoked'
     WHERE device_id = $1 AND revoked_at IS NULL RETURNING access_key`,
    [deviceId, now],
  );
  return voided.map((row) => ({ deviceId, accessKey: textColumn(row, 'access_key') }));
}

async function note(
  sql: SqlConnection,
  event: AuditEventName,
  occurredAt: number,
  details: { readonly deviceId?: string; readonly accessKey?: string; readonly manufacturerId?: string },
): Promise<void> {
  await writeAudit(sql, randomUUID(), { occurredAt, event, ...details });
}
