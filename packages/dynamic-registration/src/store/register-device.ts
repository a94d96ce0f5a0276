/**
 * The registration transaction.
 *
 * Everything that must not be raced is a constraint or a conditional statement:
 *
 * 1. `INSERT … ON CONFLICT DO NOTHING` on the unique manufacturer id decides who creates the device; whoever loses
 *    waits for the winner's commit and sees its row.
 * 2. `UPDATE … WHERE uses < max_uses` takes a use, in the transaction that creates the device. No use without a
 *    device, no device without a use. A token without a limit has no counter to fight over.
 * 3. `UPDATE devices … RETURNING` locks the row of a device that comes again; then its secret may be replaced, by
 *    `UPDATE credentials … WHERE first_used_at IS NULL`: a first use and a reissue cannot both win.
 *
 * Ids and secret are made before the first attempt. When the confirmation of a commit is lost and the transaction
 * runs again, it finds its own device id and knows that it has already won.
 */
import { randomUUID } from 'node:crypto';
import type { AuditEvent } from './audit.ts';
import { writeAudit } from './audit.ts';
import type { PepperedHash, SecretHasher } from './peppers.ts';
import type { IssuedCredential, RegistrationOutcome, RegistrationRequest } from './registration-request.ts';
import type { SqlConnection, SqlRow } from './sql.ts';
import { integerColumn, nullable, textColumn } from './sql.ts';

/** What the transaction works with. */
export interface RegistrationContext {
  readonly hasher: SecretHasher;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How long after its creation a device may ask for its secret again, in milliseconds. */
  readonly reissueWindowMs: number;
  /** The credential that the device gets if it gets one. */
  readonly credential: IssuedCredential;
  readonly secretHash: PepperedHash;
  /** Called before the commit with the new credential; a rejection rolls everything back. */
  readonly onIssued: ((credential: IssuedCredential) => Promise<void>) | undefined;
}

/** Thrown inside the transaction so that it rolls back. */
export class RegistrationRolledBack extends Error {
  readonly outcome: RegistrationOutcome;

  constructor(outcome: RegistrationOutcome) {
    super(outcome.outcome);
    this.outcome = outcome;
  }
}

/** Registers one device in the transaction `sql`. Throws {@link RegistrationRolledBack} when nothing must remain of it. */
export async function registerInTransaction(
  sql: SqlConnection,
  request: RegistrationRequest,
  context: RegistrationContext,
): Promise<RegistrationOutcome> {
  if (await insertDevice(sql, request, context)) {
    await takeUse(sql, request);
    await issue(sql, request, context, 'device-registered');
    return { outcome: 'created', credential: context.credential };
  }
  const [device] = await sql.run(
    'UPDATE devices SET attempts = attempts + 1 WHERE manufacturer_id = $1 RETURNING *',
    [request.manufacturerId],
  );
  // Neither inserted nor there: the condition of the insertion did not hold.
  if (device === undefined) return { outcome: 'token-revoked' };
  return comeAgain(sql, request, context, device);
}

async function insertDevice(
  sql: SqlConnection,
  request: RegistrationRequest,
  { credential, hasher, now }: RegistrationContext,
): Promise<boolean> {
  const proof = request.proof === undefined ? undefined : hasher.hash('proof', request.proof);
  const inserted = await sql.run(
    `INSERT INTO devices (device_id, manufacturer_id, sent_id, name, recipe, definition, token_reference,
                          proof_hash, proof_pepper, ek_name, created_at)
     SELECT $1, $2, $3, $4, $5, $6, reference, $8, CAST($9 AS BIGINT), $10, CAST($11 AS BIGINT)
     FROM tokens WHERE reference = $7 AND revoked_at IS NULL
     ON CONFLICT (manufacturer_id) DO NOTHING
     RETURNING device_id`,
    [
      credential.deviceId,
      request.manufacturerId,
      request.sentId,
      request.name,
      request.recipe,
      request.definition,
      request.token.reference,
      proof?.hash ?? null,
      proof?.pepperVersion ?? null,
      request.endorsementKeyName ?? null,
      now,
    ],
  );
  return inserted.length > 0;
}

async function takeUse(sql: SqlConnection, { token }: RegistrationRequest): Promise<void> {
  if (token.maxUses === undefined) return;
  const taken = await sql.run(
    `UPDATE tokens SET uses = uses + 1
     WHERE reference = $1 AND revoked_at IS NULL AND uses < max_uses RETURNING uses`,
    [token.reference],
  );
  if (taken.length === 0) throw new RegistrationRolledBack({ outcome: 'token-used-up' });
}

async function comeAgain(
  sql: SqlConnection,
  request: RegistrationRequest,
  context: RegistrationContext,
  device: SqlRow,
): Promise<RegistrationOutcome> {
  const deviceId = textColumn(device, 'device_id');
  // An earlier attempt of this very call, whose commit was not confirmed.
  if (deviceId === context.credential.deviceId) return { outcome: 'created', credential: context.credential };
  const refusal = await refusalOf(sql, request, context, device);
  if (refusal !== undefined) {
    await audit(sql, 'registration-conflict', request, context, { deviceId, reason: refusal.reason });
    return refusal;
  }
  const voided = await sql.run(
    `UPDATE credentials SET revoked_at = $2, revoked_because = 'reissued'
     WHERE device_id = $1 AND revoked_at IS NULL AND first_used_at IS NULL RETURNING access_key`,
    [deviceId, context.now],
  );
  if (voided.length === 0) {
    const reason = 'the credential was used or revoked';
    await audit(sql, 'registration-conflict', request, context, { deviceId, reason });
    return { outcome: 'already-active', reason };
  }
  const credential = { ...context.credential, deviceId };
  await issue(sql, request, { ...context, credential }, 'device-reissued');
  return { outcome: 'reissued', credential, voided: voided.map((row) => textColumn(row, 'access_key')) };
}

type Refusal = Extract<RegistrationOutcome, { readonly reason: string }>;

async function refusalOf(
  sql: SqlConnection,
  request: RegistrationRequest,
  { hasher, now, reissueWindowMs }: RegistrationContext,
  device: SqlRow,
): Promise<Refusal | undefined> {
  const conflict = (reason: string): Refusal => ({ outcome: 'conflict', reason });
  const proofHash = nullable(device, 'proof_hash', textColumn);
  const stored =
    proofHash === undefined
      ? undefined
      : { hash: proofHash, pepperVersion: integerColumn(device, 'proof_pepper') };
  const isProved = hasher.matches('proof', request.proof ?? new Uint8Array(), stored);
  const tpm = nullable(device, 'ek_name', textColumn);
  if (tpm !== undefined && tpm !== request.endorsementKeyName) return conflict('another TPM');
  // The answer to a device without a proof of its own is still for its TPM alone.
  const tpmSuffices = tpm !== undefined && stored === undefined;
  if (!isProved && !tpmSuffices) {
    return conflict(request.proof === undefined ? 'no proof' : 'another proof');
  }
  if (device['revoked_at'] !== null) return conflict('the device is revoked');
  const [token] = await sql.run('SELECT reference FROM tokens WHERE reference = $1 AND revoked_at IS NULL', [
    request.token.reference,
  ]);
  if (token === undefined) return conflict('the token is revoked');
  if (device['acknowledged_at'] !== null) return { outcome: 'already-active', reason: 'acknowledged' };
  if (now - integerColumn(device, 'created_at') > reissueWindowMs) {
    return { outcome: 'already-active', reason: 'the time to ask again is over' };
  }
  return undefined;
}

async function issue(
  sql: SqlConnection,
  request: RegistrationRequest,
  context: RegistrationContext,
  event: 'device-registered' | 'device-reissued',
): Promise<void> {
  const { credential, secretHash, now } = context;
  await sql.run(
    `INSERT INTO credentials (access_key, device_id, slot, secret_hash, pepper_version, created_at)
     VALUES ($1, $2, 'current', $3, $4, $5)`,
    [credential.accessKey, credential.deviceId, secretHash.hash, secretHash.pepperVersion, now],
  );
  await audit(sql, event, request, context, {
    deviceId: credential.deviceId,
    accessKey: credential.accessKey,
  });
  await context.onIssued?.(credential);
}

async function audit(
  sql: SqlConnection,
  event: AuditEvent['event'],
  { token, manufacturerId, source }: RegistrationRequest,
  { now }: RegistrationContext,
  details: Partial<AuditEvent>,
): Promise<void> {
  await writeAudit(sql, randomUUID(), {
    occurredAt: now,
    event,
    tokenReference: token.reference,
    manufacturerId,
    source,
    ...details,
  });
}
