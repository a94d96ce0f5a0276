import { randomUUID } from 'node:crypto';
import { writeAudit } from './audit.ts';
import type { SecretHasher } from './peppers.ts';
import type { SqlDatabase } from './sql.ts';
import { integerColumn, textColumn } from './sql.ts';

/** A device that proved who it is. */
export interface AuthenticatedDevice {
  readonly deviceId: string;
  readonly accessKey: string;
}

/** What a device shows. */
export interface PresentedCredential {
  readonly accessKey: string;
  readonly accessSecret: string;
  /** The MQTT client id, or whatever else the device claims to be; not checked when absent. */
  readonly deviceId?: string;
}

/** What authentication works with. */
export interface AuthenticationContext {
  readonly database: SqlDatabase;
  readonly hasher: SecretHasher;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Told of a credential that is void from now on, because its successor was used. */
  readonly onRevoked: (revoked: AuthenticatedDevice) => void;
}

/**
 * Who shows these credentials; undefined when they are wrong, revoked, or another device's.
 *
 * One row and one keyed hash. The first success is written down: it ends the time in which the device may ask for a
 * new secret. The first success of a rotated credential voids the one before it.
 */
export async function authenticateDevice(
  presented: PresentedCredential,
  context: AuthenticationContext,
): Promise<AuthenticatedDevice | undefined> {
  const { database, hasher } = context;
  const [row] = await database.run(
    `SELECT c.access_key, c.device_id, c.slot, c.secret_hash, c.pepper_version, c.first_used_at
     FROM credentials c JOIN devices d ON d.device_id = c.device_id
     WHERE c.access_key = $1 AND c.revoked_at IS NULL AND d.revoked_at IS NULL`,
    // PostgreSQL has no text with a NUL; no key is empty, so the same work is done for nobody's.
    [presented.accessKey.includes('\0') ? '' : presented.accessKey],
  );
  const stored =
    row === undefined
      ? undefined
      : { hash: textColumn(row, 'secret_hash'), pepperVersion: integerColumn(row, 'pepper_version') };
  // Without a row the same work is done, so that the time tells nothing.
  const isRight = hasher.matches('access-secret', Buffer.from(presented.accessSecret), stored);
  if (row === undefined || stored === undefined || !isRight) return undefined;
  const device = { deviceId: textColumn(row, 'device_id'), accessKey: textColumn(row, 'access_key') };
  if (presented.deviceId !== undefined && presented.deviceId !== device.deviceId) return undefined;
  const isFirstUse = row['first_used_at'] === null;
  if (isFirstUse && !(await noteFirstUse(device, textColumn(row, 'slot'), context))) return undefined;
  if (stored.pepperVersion !== hasher.currentVersion) {
    const renewed = hasher.hash('access-secret', Buffer.from(presented.accessSecret));
    await database.run(
      'UPDATE credentials SET secret_hash = $2, pepper_version = $3 WHERE access_key = $1 AND secret_hash = $4',
      [device.accessKey, renewed.hash, renewed.pepperVersion, stored.hash],
    );
  }
  return device;
}

/** False when the credential was voided in the meantime. */
async function noteFirstUse(
  device: AuthenticatedDevice,
  slot: string,
  { database, now, onRevoked }: AuthenticationContext,
): Promise<boolean> {
  const { deviceId, accessKey } = device;
  const outcome = await database.transaction(async (sql) => {
    // The row of the device is the lock that reissue, rotation and first use share.
    await sql.run('UPDATE devices SET attempts = attempts WHERE device_id = $1', [deviceId]);
    const voided =
      slot === 'next'
        ? await sql.run(
            `UPDATE credentials SET revoked_at = $2, revoked_because = 'rotated'
             WHERE device_id = $1 AND slot = 'current' AND revoked_at IS NULL RETURNING access_key`,
            [deviceId, now],
          )
        : [];
    const [used] = await sql.run(
      `UPDATE credentials SET first_used_at = COALESCE(first_used_at, $2), slot = 'current'
       WHERE access_key = $1 AND revoked_at IS NULL RETURNING access_key`,
      [accessKey, now],
    );
    if (used === undefined) return undefined;
    const event = slot === 'next' ? 'credential-promoted' : 'credential-first-used';
    await writeAudit(sql, randomUUID(), { occurredAt: now, event, deviceId, accessKey });
    return voided.map((row) => textColumn(row, 'access_key'));
  });
  for (const voided of outcome ?? []) onRevoked({ deviceId, accessKey: voided });
  return outcome !== undefined;
}
