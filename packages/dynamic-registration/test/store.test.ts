import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import { openSqlite, openStore } from '../src/store/index.ts';
import { credentialOf, peppers, proof, request, shown, startStore } from './support/store-fixture.ts';

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('a device registers', () => {
  test('and its credentials are its own: id, key and secret belong together', async () => {
    await using fixture = await startStore();
    const outcome = await fixture.store.register(request({ manufacturerId: 'a' }));
    expect(outcome.outcome).toBe('created');
    const credential = credentialOf(outcome);
    const { deviceId, accessKey } = credential;
    expect(deviceId).toMatch(/^[0-9a-f]{24}$/);
    expect(await fixture.store.authenticate({ ...shown(credential), deviceId })).toEqual({
      deviceId,
      accessKey,
    });
    const other = credentialOf(await fixture.store.register(request({ manufacturerId: 'b' })));
    for (const wrong of [
      { ...shown(credential), deviceId: other.deviceId },
      { ...shown(credential), accessSecret: `${credential.accessSecret.revealText()}x` },
      { ...shown(credential), accessSecret: other.accessSecret.revealText() },
      { ...shown(credential), accessSecret: '' },
      { ...shown(credential), accessKey: 'nobody' },
    ]) {
      expect(await fixture.store.authenticate(wrong)).toBeUndefined();
    }
  });

  test('and no table holds its secret or its proof', async () => {
    await using fixture = await startStore();
    const { accessSecret } = credentialOf(await fixture.store.register(request()));
    const dump = JSON.stringify(
      await Promise.all(
        ['tokens', 'devices', 'credentials', 'audit_events'].map((table) =>
          fixture.database.run(`SELECT * FROM ${table}`),
        ),
      ),
    );
    expect(dump).toContain('device-registered');
    expect(dump).not.toContain(accessSecret.revealText());
    expect(dump).not.toContain(Buffer.from(proof).toString('hex'));
    expect(dump).not.toContain(Buffer.from(proof).toString('base64url'));
  });
});

describe('a device that lost the reply asks again', () => {
  test('with its proof: the same device, a new secret, and the old one is void', async () => {
    await using fixture = await startStore();
    const first = credentialOf(await fixture.store.register(request({ manufacturerId: 'a' })));
    const again = await fixture.store.register(request({ manufacturerId: 'a' }));
    expect(again.outcome).toBe('reissued');
    const second = credentialOf(again);
    expect(second.deviceId).toBe(first.deviceId);
    expect(await fixture.store.authenticate(shown(first))).toBeUndefined();
    expect(await fixture.store.authenticate(shown(second))).toBeDefined();
  });

  test('after its first use: no', async () => {
    await using fixture = await startStore();
    await fixture.store.authenticate(
      shown(credentialOf(await fixture.store.register(request({ manufacturerId: 'a' })))),
    );
    expect(await fixture.store.register(request({ manufacturerId: 'a' }))).toMatchObject({
      outcome: 'already-active',
    });
  });

  test('after its acknowledgement: no, which may be given twice', async () => {
    await using fixture = await startStore();
    const { deviceId, accessKey } = credentialOf(
      await fixture.store.register(request({ manufacturerId: 'a' })),
    );
    expect(await fixture.store.acknowledge({ deviceId, accessKey })).toBe(true);
    expect(await fixture.store.acknowledge({ deviceId, accessKey })).toBe(true);
    expect(await fixture.store.acknowledge({ deviceId: 'nobody', accessKey })).toBe(false);
    expect(await fixture.store.register(request({ manufacturerId: 'a' }))).toMatchObject({
      outcome: 'already-active',
    });
  });

  test('after the window: no', async () => {
    await using fixture = await startStore({ reissueWindowMs: 1000 });
    await fixture.store.register(request({ manufacturerId: 'a' }));
    await fixture.clock.advance(1001);
    expect(await fixture.store.register(request({ manufacturerId: 'a' }))).toMatchObject({
      outcome: 'already-active',
    });
  });

  test.each([
    ['another proof', new Uint8Array(32).fill(2), 'another proof'],
    ['no proof', undefined, 'no proof'],
  ])('with %s: no, and the log tells of a clone', async (_name, otherProof, reason) => {
    await using fixture = await startStore();
    const { deviceId } = credentialOf(await fixture.store.register(request({ manufacturerId: 'a' })));
    const outcome = await fixture.store.register(request({ manufacturerId: 'a', proof: otherProof }));
    expect(outcome).toEqual({ outcome: 'conflict', reason });
    const conflicts = (await collect(fixture.store.auditEvents())).filter(
      ({ event }) => event === 'registration-conflict',
    );
    expect(conflicts).toMatchObject([{ deviceId, reason }]);
    expect(await fixture.store.device(deviceId)).toMatchObject({ attempts: 2 });
  });

  test('as a device that never gave a proof: no', async () => {
    await using fixture = await startStore();
    await fixture.store.register(request({ manufacturerId: 'a', proof: undefined }));
    for (const given of [undefined, proof, new Uint8Array()]) {
      expect(await fixture.store.register(request({ manufacturerId: 'a', proof: given }))).toMatchObject({
        outcome: 'conflict',
      });
    }
  });

  test.each([
    ['the same TPM', '000baa', 'reissued'],
    ['another TPM', '000bbb', 'conflict'],
    ['no TPM', undefined, 'conflict'],
  ])('with %s', async (_name, endorsementKeyName, expected) => {
    await using fixture = await startStore();
    const bound = request({ manufacturerId: 'a', proof: undefined, endorsementKeyName: '000baa' });
    await fixture.store.register(bound);
    expect((await fixture.store.register({ ...bound, endorsementKeyName })).outcome).toBe(expected);
  });
});

test('100 parallel registrations of one id give one device and one live secret', async () => {
  await using fixture = await startStore();
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, () => fixture.store.register(request({ manufacturerId: 'a' }))),
  );
  const credentials = outcomes.map(credentialOf);
  expect(new Set(credentials.map(({ deviceId }) => deviceId)).size).toBe(1);
  expect(outcomes.filter(({ outcome }) => outcome === 'created').length).toBe(1);
  const live: number[] = [];
  for (const [index, credential] of credentials.entries()) {
    if ((await fixture.store.authenticate(shown(credential))) !== undefined) live.push(index);
  }
  expect(live).toEqual([99]);
});

describe('tokens', () => {
  const limited = { reference: 'jti:three', issuer: 'example.com', tokenId: 'three', maxUses: 3 };

  test('a token of three uses registers three of thirty devices at once, and no use is lost', async () => {
    await using fixture = await startStore();
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, () => fixture.store.register(request({ token: limited }))),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'created').length).toBe(3);
    expect(outcomes.filter(({ outcome }) => outcome === 'token-used-up').length).toBe(27);
    expect((await collect(fixture.store.devices())).length).toBe(3);
    expect(await collect(fixture.store.tokens())).toMatchObject([{ uses: 3, maxUses: 3 }]);
  });

  test('a device that comes again takes no use', async () => {
    await using fixture = await startStore();
    const token = { ...limited, maxUses: 1 };
    await fixture.store.register(request({ manufacturerId: 'a', token }));
    expect((await fixture.store.register(request({ manufacturerId: 'a', token }))).outcome).toBe('reissued');
    expect((await fixture.store.register(request({ manufacturerId: 'b', token }))).outcome).toBe(
      'token-used-up',
    );
  });

  test('the constraint holds even against us', async () => {
    await using fixture = await startStore();
    await fixture.store.register(request({ token: limited }));
    await expect(fixture.database.run('UPDATE tokens SET uses = 4')).rejects.toThrow(/CHECK/);
  });

  test('a revoked token registers nobody, also one that was never seen; its devices and the other tokens live on', async () => {
    await using fixture = await startStore();
    const credential = credentialOf(await fixture.store.register(request({ manufacturerId: 'a' })));
    expect(await fixture.store.revokeToken({ reference: 'jti:fleet', issuer: 'example.com' })).toBe(true);
    expect(await fixture.store.revokeToken({ reference: 'jti:fleet', issuer: 'example.com' })).toBe(false);
    expect(await fixture.store.revokeToken(limited)).toBe(true);
    expect((await fixture.store.register(request({ manufacturerId: 'b' }))).outcome).toBe('token-revoked');
    expect((await fixture.store.register(request({ manufacturerId: 'a' }))).outcome).toBe('conflict');
    expect((await fixture.store.register(request({ token: limited }))).outcome).toBe('token-revoked');
    expect(await fixture.store.authenticate(shown(credential))).toBeDefined();
    expect(
      (await fixture.store.register(request({ token: { ...limited, reference: 'jti:x' } }))).outcome,
    ).toBe('created');
  });
});

describe('rotation', () => {
  test('the old secret is good until the new one is used, then its sessions end', async () => {
    await using fixture = await startStore();
    const old = credentialOf(await fixture.store.register(request()));
    const device = await fixture.store.authenticate(shown(old));
    if (device === undefined) throw new Error('not authenticated');
    const lost = await fixture.store.rotate(device);
    const next = await fixture.store.rotate(device);
    if (lost === undefined || next === undefined) throw new Error('not rotated');
    expect(await fixture.store.authenticate(shown(lost))).toBeUndefined();
    expect(await fixture.store.authenticate(shown(old))).toBeDefined();
    const ended: string[] = [];
    fixture.store.onRevoked(({ accessKey }) => ended.push(accessKey));
    expect(await fixture.store.authenticate(shown(next))).toMatchObject({ deviceId: old.deviceId });
    expect(ended).toEqual([old.accessKey]);
    expect(await fixture.store.authenticate(shown(old))).toBeUndefined();
    expect(await fixture.store.rotate(device)).toBeUndefined();
  });
});

describe('revocation', () => {
  test('of a credential and of a device ends their use, tells of it, and is not done twice', async () => {
    await using fixture = await startStore();
    const ended: string[] = [];
    fixture.store.onRevoked(({ accessKey }) => ended.push(accessKey));
    const a = credentialOf(await fixture.store.register(request({ manufacturerId: 'a' })));
    const b = credentialOf(await fixture.store.register(request({ manufacturerId: 'b' })));
    expect(await fixture.store.revokeCredential(a.accessKey)).toBe(true);
    expect(await fixture.store.revokeCredential(a.accessKey)).toBe(false);
    expect(await fixture.store.revokeDevice(b.deviceId)).toBe(true);
    expect(await fixture.store.revokeDevice(b.deviceId)).toBe(false);
    expect(ended).toEqual([a.accessKey, b.accessKey]);
    expect(await fixture.store.findRevoked([a.accessKey, b.accessKey, 'never'])).toEqual([
      a.accessKey,
      b.accessKey,
      'never',
    ]);
    expect(await fixture.store.authenticate(shown(a))).toBeUndefined();
    expect(await fixture.store.authenticate(shown(b))).toBeUndefined();
    expect((await fixture.store.register(request({ manufacturerId: 'b' }))).outcome).toBe('conflict');
  });

  test('a released id registers anew, as another device', async () => {
    await using fixture = await startStore();
    const first = credentialOf(
      await fixture.store.register(request({ manufacturerId: 'a', proof: undefined })),
    );
    expect(await fixture.store.releaseDevice('a')).toBe(true);
    expect(await fixture.store.releaseDevice('a')).toBe(false);
    const second = await fixture.store.register(request({ manufacturerId: 'a', proof: undefined }));
    expect(second.outcome).toBe('created');
    expect(credentialOf(second).deviceId).not.toBe(first.deviceId);
    expect(await fixture.store.authenticate(shown(first))).toBeUndefined();
  });
});

describe('peppers', () => {
  test('a new pepper takes over at the next use, and the old one can go', async () => {
    await using fixture = await startStore();
    const credential = credentialOf(await fixture.store.register(request()));
    const renewed = { ...peppers, 2: Secret.fromBytes(new Uint8Array(32).fill(8)) };
    const options = { database: fixture.database, clock: fixture.clock };
    const both = await openStore({ ...options, peppers: renewed });
    expect(await both.authenticate(shown(credential))).toBeDefined();
    const onlyNew = await openStore({ ...options, peppers: { 2: renewed[2] } });
    expect(await onlyNew.authenticate(shown(credential))).toBeDefined();
    const wrong = await openStore({ ...options, peppers: { 2: peppers[1] } });
    expect(await wrong.authenticate(shown(credential))).toBeUndefined();
  });

  test.each([[{}], [{ 0: peppers[1] }], [{ 1: Secret.fromText('short') }]])(
    '%o are refused',
    async (unusable) => {
      await expect(startStore({ peppers: unusable })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    },
  );
});

describe('a broker that has to know', () => {
  test('is told before the commit; when it fails, nothing has happened', async () => {
    let fails = true;
    const told: string[] = [];
    await using fixture = await startStore({
      onIssued: async ({ accessKey }) => {
        if (fails) throw new Error('broker away');
        told.push(accessKey);
      },
    });
    const token = { reference: 'jti:one', issuer: 'example.com', maxUses: 1 };
    await expect(fixture.store.register(request({ manufacturerId: 'a', token }))).rejects.toThrow(
      'broker away',
    );
    fails = false;
    const outcome = await fixture.store.register(request({ manufacturerId: 'a', token }));
    expect(outcome.outcome).toBe('created');
    expect(told).toEqual([credentialOf(outcome).accessKey]);
  });
});

test('a database that another process holds is away, which passes', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'endorse-store-'));
  const file = join(directory, 'registrar.db');
  try {
    await using fixture = await startStore({ database: await openSqlite(file, { busyTimeoutMs: 0 }) });
    const other = new DatabaseSync(file);
    other.exec('BEGIN EXCLUSIVE');
    await expect(fixture.store.register(request())).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      retryable: true,
    });
    other.close();
    expect((await fixture.store.register(request())).outcome).toBe('created');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('tables of a newer version are left alone', async () => {
  await using fixture = await startStore();
  await fixture.database.run('INSERT INTO schema_migrations (version, applied_at) VALUES (99, 0)');
  await expect(openStore({ database: fixture.database, peppers })).rejects.toMatchObject({
    code: 'ERR_STORE_SCHEMA',
  });
});

test('the audit log is read page by page, in order', async () => {
  await using fixture = await startStore();
  for (let index = 0; index < 450; index += 1)
    await fixture.store.audit({ event: 'registration-refused', reason: String(index) });
  expect((await collect(fixture.store.auditEvents())).length).toBe(450);
});
