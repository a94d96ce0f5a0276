import type { SqlConnection } from './sql.ts';
import { integerColumn, nullable, textColumn } from './sql.ts';

/** What is kept in the audit log. */
export type AuditEventName =
  | 'device-registered'
  | 'device-reissued'
  | 'registration-conflict'
  | 'registration-refused'
  | 'device-acknowledged'
  | 'device-revoked'
  | 'device-released'
  | 'credential-first-used'
  | 'credential-rotated'
  | 'credential-promoted'
  | 'credential-revoked'
  | 'token-revoked';

/** One line of the audit log. Names of secrets, never secrets. */
export interface AuditEvent {
  /** Milliseconds since 1970. */
  readonly occurredAt: number;
  readonly event: AuditEventName;
  readonly tokenReference?: string | undefined;
  readonly manufacturerId?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly accessKey?: string | undefined;
  /** Address the request came from. */
  readonly source?: string | undefined;
  readonly reason?: string | undefined;
}

/** Writes a line, in the transaction of what it tells. */
export async function writeAudit(sql: SqlConnection, eventId: string, event: AuditEvent): Promise<void> {
  await sql.run(
    `INSERT INTO audit_events
       (event_id, occurred_at, event, token_reference, manufacturer_id, device_id, access_key, source, reason)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      eventId,
      event.occurredAt,
      event.event,
      event.tokenReference ?? null,
      event.manufacturerId ?? null,
      event.deviceId ?? null,
      event.accessKey ?? null,
      event.source ?? null,
      event.reason ?? null,
    ],
  );
}

/** Lines a page has. */
const pageSize = 200;

/** Reads the audit log from `since` (milliseconds since 1970) on, oldest first, page by page. */
export async function* readAudit(sql: SqlConnection, since: number): AsyncGenerator<AuditEvent> {
  let occurredAt = since;
  let eventId = '';
  for (;;) {
    const rows = await sql.run(
      `SELECT * FROM audit_events WHERE occurred_at > $1 OR (occurred_at = $1 AND event_id > $2)
       ORDER BY occurred_at, event_id LIMIT ${pageSize}`,
      [occurredAt, eventId],
    );
    for (const row of rows) {
      occurredAt = integerColumn(row, 'occurred_at');
      eventId = textColumn(row, 'event_id');
      yield {
        occurredAt,
        event: textColumn(row, 'event') as AuditEventName,
        tokenReference: nullable(row, 'token_reference', textColumn),
        manufacturerId: nullable(row, 'manufacturer_id', textColumn),
        deviceId: nullable(row, 'device_id', textColumn),
        accessKey: nullable(row, 'access_key', textColumn),
        source: nullable(row, 'source', textColumn),
        reason: nullable(row, 'reason', textColumn),
      };
    }
    if (rows.length < pageSize) return;
  }
}
