/** The store on PostgreSQL, with the statements that SQLite runs in the package's own tests. Oracle: a second store on the same database. */
import { randomBytes } from 'node:crypto';
import type {
  IssuedCredential,
  RegistrationOutcome,
  RegistrationRequest,
} from '@endorse/dynamic-registration/store';
import { openPostgresql, openStore } from '@endorse/dynamic-registration/store';
import { Secret } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Postgresql } from './registrar/postgresql.ts';
import { startPostgresql } from './registrar/postgresql.ts';

const pepper = Secret.fromBytes(randomBytes(32));
const proof = randomBytes(32);

// One server for all of them; every test has manufacturer ids and tokens of its own.
const running: { postgresql?: Postgresql } = {};
beforeAll(async () => {
  running.postgresql = await startPostgresql();
}, 120_000);
afterAll(async () => running.postgresql?.[Symbol.asyncDispose]());

async function open(peppers: Readonly<Record<number, Secret>> = { 1: pepper }) {
  const url = Secret.fromText(running.postgresql?.url ?? '');
  return openStore({ database: await openPostgresql({ url }), peppers, clock: new VirtualClock() });
}

const request = (name: string, overrides: Partial<RegistrationRequest> = {}): RegistrationRequest => ({
  token: { reference: `jti:${name}`, issuer: 'example.com', tokenId: name },
  manufacturerId: name,
  sentId: name,
  name,
  recipe: 'r',
  definition: '{}',
  proof,
  ...overrides,
});

function credentialOf(outcome: RegistrationOutcome): IssuedCredential {
  if ('credential' in outcome) return outcome.credential;
  throw new Error(outcome.outcome);
}

const shown = ({ accessKey, accessSecret }: IssuedCredential) => ({
  accessKey,
  accessSecret: accessSecret.revealText(),
});

describe('on PostgreSQL', () => {
  test('a reissue voids the lost secret, a first use ends reissues', async () => {
    await using store = await open();
    const lost = credentialOf(await store.register(request('reissue')));
    const again = await store.register(request('reissue'));
    expect(again).toMatchObject({ outcome: 'reissued', voided: [lost.accessKey] });
    await using other = await open();
    expect(await other.authenticate(shown(lost))).toBeUndefined();
    expect(await other.authenticate(shown(credentialOf(again)))).toMatchObject({ deviceId: lost.deviceId });
    expect(await store.register(request('reissue'))).toMatchObject({ outcome: 'already-active' });
    expect(await store.register(request('reissue', { proof: randomBytes(32) }))).toMatchObject({
      outcome: 'conflict',
      reason: 'another proof',
    });
  });

  test('a rotated secret takes over at its first use', async () => {
    await using store = await open();
    const old = credentialOf(await store.register(request('rotate')));
    const next = await store.rotate(old);
    if (next === undefined) throw new Error('not rotated');
    expect(await store.authenticate(shown(old))).toBeDefined();
    expect(await store.authenticate(shown(next))).toBeDefined();
    expect(await store.authenticate(shown(old))).toBeUndefined();
    expect(await store.findRevoked([old.accessKey, next.accessKey])).toEqual([old.accessKey]);
  });

  test('credentials with a NUL, which PostgreSQL has no text for, are nobody’s', async () => {
    await using store = await open();
    const { accessKey, accessSecret } = shown(credentialOf(await store.register(request('nul'))));
    expect(await store.authenticate({ accessKey: `${accessKey}\0`, accessSecret })).toBeUndefined();
    expect(await store.authenticate({ accessKey: '\0', accessSecret: '\0' })).toBeUndefined();
    expect(await store.authenticate({ accessKey, accessSecret })).toBeDefined();
  });

  test('tokens are counted, revoked and listed', async () => {
    await using store = await open();
    const token = { reference: 'jti:counted', issuer: 'example.com', maxUses: 1 };
    expect((await store.register(request('counted-1', { token }))).outcome).toBe('created');
    expect((await store.register(request('counted-2', { token }))).outcome).toBe('token-used-up');
    expect(await store.revokeToken(token)).toBe(true);
    expect((await store.register(request('counted-3', { token }))).outcome).toBe('token-revoked');
    const tokens = [];
    for await (const listed of store.tokens()) if (listed.reference === 'jti:counted') tokens.push(listed);
    expect(tokens).toMatchObject([{ uses: 1, maxUses: 1, revokedAt: expect.any(Number) as number }]);
  });

  test('devices are acknowledged, revoked and released', async () => {
    await using store = await open();
    const first = credentialOf(await store.register(request('released')));
    expect(await store.acknowledge(first)).toBe(true);
    expect(await store.device(first.deviceId)).toMatchObject({
      acknowledgedAt: expect.any(Number) as number,
    });
    expect(await store.revokeDevice(first.deviceId)).toBe(true);
    expect(await store.authenticate(shown(first))).toBeUndefined();
    expect(await store.releaseDevice('released')).toBe(true);
    expect((await store.register(request('released'))).outcome).toBe('created');
    const events = [];
    for await (const { event, manufacturerId, deviceId } of store.auditEvents()) {
      if (manufacturerId === 'released' || deviceId === first.deviceId) events.push(event);
    }
    expect(events.toSorted()).toEqual(
      [
        'device-registered',
        'device-acknowledged',
        'device-revoked',
        'device-released',
        'device-registered',
      ].toSorted(),
    );
  });

  test('a failed broker rolls everything back', async () => {
    const url = Secret.fromText(running.postgresql?.url ?? '');
    const onIssued = async (): Promise<void> => Promise.reject(new Error('broker away'));
    await using store = await openStore({
      database: await openPostgresql({ url }),
      peppers: { 1: pepper },
      onIssued,
    });
    await expect(store.register(request('rolled-back'))).rejects.toThrow('broker away');
    expect(await store.deviceByManufacturerId('rolled-back')).toBeUndefined();
  });

  test('stores that open at once agree on the tables', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => open()));
    await Promise.all(stores.map((store) => store.close()));
  });

  test('a database that is not there is a typed error with a remedy, and shows no password', async () => {
    const url = Secret.fromText('postgresql://endorse:hunter2@127.0.0.1:9/none');
    const failure = openPostgresql({ url, retryForMs: 0 });
    await expect(failure).rejects.toMatchObject({
      code: 'ERR_STORE_OPEN',
      remedy: expect.any(String) as string,
    });
    await failure.catch((error: unknown) => expect(String(error)).not.toContain('hunter2'));
  });
});
