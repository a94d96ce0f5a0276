import { randomUUID } from 'node:crypto';
import type { Clock, RandomSource } from '@endorse/interface';
import { InvalidArgumentError, Secret } from '@endorse/interface';
import { systemClock, systemRandom } from '@endorse/interface/node';
import type { AuditEvent } from './audit.ts';
import { readAudit, writeAudit } from './audit.ts';
import type { AuthenticatedDevice, PresentedCredential } from './authenticate.ts';
import { authenticateDevice } from './authenticate.ts';
import {
  acknowledgeDevice,
  releaseDevice,
  revokeCredential,
  revokeDevice,
  rotateCredential,
} from './credential-changes.ts';
import { migrate } from './migrations.ts';
import type { Peppers } from './peppers.ts';
import { createSecretHasher } from './peppers.ts';
import type { DeviceRecord, TokenRecord } from './records.ts';
import { deviceRecord, readDevices, readTokens } from './records.ts';
import { RegistrationRolledBack, registerInTransaction } from './register-device.ts';
import type {
  IssuedCredential,
  RegisteredToken,
  RegistrationOutcome,
  RegistrationRequest,
} from './registration-request.ts';
import type { SqlDatabase } from './sql.ts';
import { textColumn } from './sql.ts';

/** Options of {@link openStore}. */
export interface StoreOptions {
  /** `openSqlite(…)` or `openPostgresql(…)`; closed with the store. */
  readonly database: SqlDatabase;
  /** Keys of the hashes of secrets, by version; keep them out of the database. At least 32 random bytes each. */
  readonly peppers: Peppers;
  /** How long after its registration a device may ask for its secret again, in milliseconds, 0 to a year; default 24 hours. */
  readonly reissueWindowMs?: number;
  /**
   * Called with every new credential before the transaction commits, for a broker that has to know it; when it
   * rejects, nothing has happened. It must not use the store, and must be harmless when repeated.
   */
  readonly onIssued?: (credential: IssuedCredential) => Promise<void>;
  /** Default the system's. */
  readonly clock?: Clock;
  /** Source of ids and secrets; default the system's. */
  readonly random?: RandomSource;
}

/** Where devices, credentials, tokens and the audit log are kept. Every method rejects with `ERR_STORE_UNAVAILABLE` while the database is away. */
export interface RegistrationStore extends AsyncDisposable {
  /** Registers a device, or answers one that comes again. */
  register(request: RegistrationRequest): Promise<RegistrationOutcome>;
  /** Who shows these credentials; undefined for nobody. */
  authenticate(presented: PresentedCredential): Promise<AuthenticatedDevice | undefined>;
  /** The next credential of a device; the current one stays good until the next one is used. Undefined when the device is not live. */
  rotate(device: AuthenticatedDevice): Promise<IssuedCredential | undefined>;
  /** Notes that the device has stored its credentials: its secret will not be issued again. False when it is not live. */
  acknowledge(device: AuthenticatedDevice): Promise<boolean>;
  /** The device of an id. */
  device(deviceId: string): Promise<DeviceRecord | undefined>;
  /** The device of a manufacturer id in its normal form. */
  deviceByManufacturerId(manufacturerId: string): Promise<DeviceRecord | undefined>;
  /** Every device, by id. */
  devices(): AsyncIterable<DeviceRecord>;
  /** Every token that was used or revoked, by reference. */
  tokens(): AsyncIterable<TokenRecord>;
  /** Every live credential's names, without secrets. */
  liveCredentials(): AsyncIterable<AuthenticatedDevice>;
  /** Voids a token, seen or not; its devices stay. False when it was void already. */
  revokeToken(token: Omit<RegisteredToken, 'maxUses'>): Promise<boolean>;
  /** Voids a credential. False when it is not live. */
  revokeCredential(accessKey: string): Promise<boolean>;
  /** Voids a device with all its credentials. False when it is not live. */
  revokeDevice(deviceId: string): Promise<boolean>;
  /** Forgets a device, so that its id can register anew: the operator's cure for a device that lost its credentials. False when there is none. */
  releaseDevice(manufacturerId: string): Promise<boolean>;
  /** Adds a line to the audit log. */
  audit(event: Omit<AuditEvent, 'occurredAt'>): Promise<void>;
  /** The audit log from `since` (milliseconds since 1970, default 0) on, oldest first. */
  auditEvents(since?: number): AsyncIterable<AuditEvent>;
  /** Tells `listener` of every credential that this process voids; returns how to stop. Other processes are heard by a `RevocationWatcher`. */
  onRevoked(listener: (revoked: AuthenticatedDevice) => void): () => void;
  /** Of these access keys, those that are not live. */
  findRevoked(accessKeys: readonly string[]): Promise<readonly string[]>;
  /** Closes the database; harmless when repeated. */
  close(): Promise<void>;
}

const defaultReissueWindowMs = 86_400_000;
const maxReissueWindowMs = 366 * 86_400_000;

/** 12 bytes, as the ids of the seed's platform. */
const deviceIdBytes = 12;
const accessKeyBytes = 16;
const secretBytes = 32;

/** Tokens a process remembers to have written down. */
const maxKnownTokens = 10_000;

/**
 * Opens the store over a database: brings the tables up to date, then answers.
 * Rejects with `ERR_INVALID_ARGUMENT`, `ERR_OUT_OF_RANGE`, `ERR_STORE_SCHEMA` or `ERR_STORE_UNAVAILABLE`.
 */
export async function openStore(options: StoreOptions): Promise<RegistrationStore> {
  const { database, clock = systemClock, random = systemRandom, onIssued } = options;
  const reissueWindowMs = options.reissueWindowMs ?? defaultReissueWindowMs;
  if (!(reissueWindowMs >= 0 && reissueWindowMs <= maxReissueWindowMs)) {
    throw new InvalidArgumentError('options.reissueWindowMs', 'must be 0 to a year', 'ERR_OUT_OF_RANGE');
  }
  const hasher = createSecretHasher(options.peppers);
  await migrate(database, clock.now());

  const knownTokens = new Set<string>();
  const listeners = new Set<(revoked: AuthenticatedDevice) => void>();
  const tell = (revoked: AuthenticatedDevice): void => {
    for (const listener of listeners) listener(revoked);
  };

  const rememberToken = async (token: RegisteredToken): Promise<void> => {
    if (knownTokens.has(token.reference)) return;
    await insertToken(database, token, clock.now());
    if (knownTokens.size >= maxKnownTokens) knownTokens.clear();
    knownTokens.add(token.reference);
  };

  const newCredential = (deviceId: string): IssuedCredential => ({
    deviceId,
    accessKey: Buffer.from(random.bytes(accessKeyBytes)).toString('hex'),
    accessSecret: Secret.fromText(Buffer.from(random.bytes(secretBytes)).toString('base64url')),
  });
  const hashOf = ({ accessSecret }: IssuedCredential): ReturnType<typeof hasher.hash> =>
    hasher.hash('access-secret', accessSecret.reveal());
  const findDevice = async (
    column: 'device_id' | 'manufacturer_id',
    value: string,
  ): Promise<DeviceRecord | undefined> => {
    const [row] = await database.run(`SELECT * FROM devices WHERE ${column} = $1`, [value]);
    return row === undefined ? undefined : deviceRecord(row);
  };
  const revokeAll = (voided: readonly AuthenticatedDevice[] | undefined): boolean => {
    for (const device of voided ?? []) tell(device);
    return voided !== undefined;
  };

  return {
    async register(request) {
      await rememberToken(request.token);
      const credential = newCredential(Buffer.from(random.bytes(deviceIdBytes)).toString('hex'));
      const secretHash = hashOf(credential);
      const now = clock.now();
      try {
        const outcome = await database.transaction((sql) =>
          registerInTransaction(sql, request, {
            hasher,
            now,
            reissueWindowMs,
            credential,
            secretHash,
            onIssued,
          }),
        );
        if (outcome.outcome === 'reissued') {
          const { deviceId } = outcome.credential;
          for (const accessKey of outcome.voided) tell({ deviceId, accessKey });
        }
        return outcome;
      } catch (error) {
        if (error instanceof RegistrationRolledBack) return error.outcome;
        throw error;
      }
    },
    authenticate: (presented) =>
      authenticateDevice(presented, { database, hasher, now: clock.now(), onRevoked: tell }),
    async rotate(device) {
      const next = newCredential(device.deviceId);
      const { rotated, voided } = await rotateCredential(
        database,
        device,
        next,
        hashOf(next),
        clock.now(),
        onIssued,
      );
      for (const accessKey of voided) tell({ deviceId: device.deviceId, accessKey });
      return rotated ? next : undefined;
    },
    acknowledge: (device) => acknowledgeDevice(database, device, clock.now()),
    device: (deviceId) => findDevice('device_id', deviceId),
    deviceByManufacturerId: (manufacturerId) => findDevice('manufacturer_id', manufacturerId),
    devices: () => readDevices(database),
    tokens: () => readTokens(database),
    liveCredentials: () => readLiveCredentials(database),
    async revokeToken(token) {
      const now = clock.now();
      return database.transaction(async (sql) => {
        await insertToken(sql, token, now);
        const revoked = await sql.run(
          'UPDATE tokens SET revoked_at = $2 WHERE reference = $1 AND revoked_at IS NULL RETURNING reference',
          [token.reference, now],
        );
        if (revoked.length === 0) return false;
        await writeAudit(sql, randomUUID(), {
          occurredAt: now,
          event: 'token-revoked',
          tokenReference: token.reference,
        });
        return true;
      });
    },
    async revokeCredential(accessKey) {
      const revoked = await revokeCredential(database, accessKey, clock.now());
      return revokeAll(revoked === undefined ? undefined : [revoked]);
    },
    revokeDevice: async (deviceId) => revokeAll(await revokeDevice(database, deviceId, clock.now())),
    releaseDevice: async (manufacturerId) =>
      revokeAll(await releaseDevice(database, manufacturerId, clock.now())),
    audit: (event) => writeAudit(database, randomUUID(), { ...event, occurredAt: clock.now() }),
    auditEvents: (since = 0) => readAudit(database, since),
    onRevoked(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    findRevoked: (accessKeys) => findRevoked(database, accessKeys),
    close: () => database.close(),
    [Symbol.asyncDispose]: () => database.close(),
  };
}

async function insertToken(
  sql: Pick<SqlDatabase, 'run'>,
  token: RegisteredToken,
  now: number,
): Promise<void> {
  await sql.run(
    `INSERT INTO tokens (reference, issuer, token_id, key_id, max_uses, expires_at, first_seen_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (reference) DO NOTHING`,
    [
      token.reference,
      token.issuer,
      token.tokenId ?? null,
      token.keyId ?? null,
      token.maxUses ?? null,
      token.expiresAt ?? null,
      now,
    ],
  );
  if (token.maxUses === undefined) return;
  // A token that was revoked before it was seen was written down without its limit.
  await sql.run('UPDATE tokens SET max_uses = $2 WHERE reference = $1 AND max_uses IS NULL', [
    token.reference,
    token.maxUses,
  ]);
}

/** Keys that one statement asks for. */
const maxAsked = 100;

async function findRevoked(database: SqlDatabase, accessKeys: readonly string[]): Promise<readonly string[]> {
  const live = new Set<string>();
  for (let from = 0; from < accessKeys.length; from += maxAsked) {
    const asked = accessKeys.slice(from, from + maxAsked);
    // One text, whatever the number: the rest is filled up with what no key is.
    const parameters = Array.from({ length: maxAsked }, (_, index) => asked[index] ?? '');
    const places = parameters.map((_, index) => `$${index + 1}`).join(', ');
    const rows = await database.run(
      `SELECT c.access_key FROM credentials c JOIN devices d ON d.device_id = c.device_id
       WHERE c.access_key IN (${places}) AND c.revoked_at IS NULL AND d.revoked_at IS NULL`,
      parameters,
    );
    for (const row of rows) live.add(textColumn(row, 'access_key'));
  }
  return accessKeys.filter((key) => !live.has(key));
}

async function* readLiveCredentials(database: SqlDatabase): AsyncGenerator<AuthenticatedDevice> {
  for (let after = ''; ;) {
    const rows = await database.run(
      `SELECT c.access_key, c.device_id FROM credentials c JOIN devices d ON d.device_id = c.device_id
       WHERE c.access_key > $1 AND c.revoked_at IS NULL AND d.revoked_at IS NULL ORDER BY c.access_key LIMIT 200`,
      [after],
    );
    for (const row of rows) {
      after = textColumn(row, 'access_key');
      yield { accessKey: after, deviceId: textColumn(row, 'device_id') };
    }
    if (rows.length < 200) return;
  }
}
