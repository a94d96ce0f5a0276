import type { SqlConnection, SqlRow } from './sql.ts';
import { integerColumn, nullable, textColumn } from './sql.ts';

/** A registered device. */
export interface DeviceRecord {
  readonly deviceId: string;
  /** In its normal form. */
  readonly manufacturerId: string;
  /** As the device sent it. */
  readonly sentId: string;
  readonly name: string;
  readonly recipe: string;
  /** What the recipe made of it, JSON text. */
  readonly definition: string;
  readonly tokenReference: string;
  /** Hex of the Name of its endorsement key, when it is bound to a TPM. */
  readonly endorsementKeyName: string | undefined;
  readonly createdAt: number;
  /** How often somebody tried to register its id: more than once is a lost reply, or a clone. */
  readonly attempts: number;
  readonly acknowledgedAt: number | undefined;
  readonly revokedAt: number | undefined;
}

/** A token the registrar has seen or revoked. */
export interface TokenRecord {
  readonly reference: string;
  readonly issuer: string;
  readonly tokenId: string | undefined;
  readonly keyId: string | undefined;
  /** How many devices it may register; undefined for any number. */
  readonly maxUses: number | undefined;
  /** Devices it registered. */
  readonly uses: number;
  readonly expiresAt: number | undefined;
  readonly firstSeenAt: number;
  readonly revokedAt: number | undefined;
}

/** Reads the row of a device. */
export function deviceRecord(row: SqlRow): DeviceRecord {
  return {
    deviceId: textColumn(row, 'device_id'),
    manufacturerId: textColumn(row, 'manufacturer_id'),
    sentId: textColumn(row, 'sent_id'),
    name: textColumn(row, 'name'),
    recipe: textColumn(row, 'recipe'),
    definition: textColumn(row, 'definition'),
    tokenReference: textColumn(row, 'token_reference'),
    endorsementKeyName: nullable(row, 'ek_name', textColumn),
    createdAt: integerColumn(row, 'created_at'),
    attempts: integerColumn(row, 'attempts'),
    acknowledgedAt: nullable(row, 'acknowledged_at', integerColumn),
    revokedAt: nullable(row, 'revoked_at', integerColumn),
  };
}

/** Rows a page has. */
const pageSize = 200;

/** Lists the tokens by reference, page by page. Of a token without a limit the uses are its devices, counted. */
export async function* readTokens(sql: SqlConnection): AsyncGenerator<TokenRecord> {
  for (let after = ''; ;) {
    const rows = await sql.run(
      `SELECT t.*, (SELECT COUNT(*) FROM devices d WHERE d.token_reference = t.reference) AS device_count
       FROM tokens t WHERE t.reference > $1 ORDER BY t.reference LIMIT ${pageSize}`,
      [after],
    );
    for (const row of rows) {
      after = textColumn(row, 'reference');
      const maxUses = nullable(row, 'max_uses', integerColumn);
      yield {
        reference: after,
        issuer: textColumn(row, 'issuer'),
        tokenId: nullable(row, 'token_id', textColumn),
        keyId: nullable(row, 'key_id', textColumn),
        maxUses,
        uses: integerColumn(row, maxUses === undefined ? 'device_count' : 'uses'),
        expiresAt: nullable(row, 'expires_at', integerColumn),
        firstSeenAt: integerColumn(row, 'first_seen_at'),
        revokedAt: nullable(row, 'revoked_at', integerColumn),
      };
    }
    if (rows.length < pageSize) return;
  }
}

/** Lists the devices by id, page by page. */
export async function* readDevices(sql: SqlConnection): AsyncGenerator<DeviceRecord> {
  for (let after = ''; ;) {
    const rows = await sql.run(
      `SELECT * FROM devices WHERE device_id > $1 ORDER BY device_id LIMIT ${pageSize}`,
      [after],
    );
    for (const row of rows) {
      const record = deviceRecord(row);
      after = record.deviceId;
      yield record;
    }
    if (rows.length < pageSize) return;
  }
}
