/** Four registrar processes on one PostgreSQL: races, crashes, restarts. Oracle: what the database holds in the end. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { startPostgresql } from './registrar/postgresql.ts';
import type { RegistrarFleet, RegistrationAnswer } from './registrar/registrar-fleet.ts';
import { startRegistrarFleet } from './registrar/registrar-fleet.ts';

async function startScene() {
  const resources = new AsyncDisposableStack();
  const postgresql = resources.use(await startPostgresql());
  const fleet = resources.use(await startRegistrarFleet(postgresql.url, 4));
  return { postgresql, fleet, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

function originOf(fleet: RegistrarFleet, index: number): string {
  const { origin } = fleet.processes[index % fleet.processes.length] ?? {};
  if (origin === undefined) throw new Error('no process');
  return origin;
}

const newProof = (): string => randomBytes(32).toString('base64url');

async function holdings({ store }: RegistrarFleet) {
  const devices: string[] = [];
  for await (const { deviceId } of store.devices()) devices.push(deviceId);
  const live: string[] = [];
  for await (const { deviceId } of store.liveCredentials()) live.push(deviceId);
  return { devices: devices.toSorted(), live: live.toSorted() };
}

/** What a device does: asks until it is answered for good, whoever dies. */
async function insist(
  fleet: RegistrarFleet,
  origins: () => readonly string[],
  body: Readonly<Record<string, unknown>>,
): Promise<RegistrationAnswer> {
  const giveUpAt = Date.now() + 90_000;
  for (let attempt = 0; ; attempt += 1) {
    const all = origins();
    try {
      const answer = await fleet.post(all[attempt % all.length] ?? '', body);
      if (answer.status < 500) return answer;
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
    }
    if (Date.now() > giveUpAt) throw new Error('nobody answered');
    // A turn of the event loop, not a pause: whoever is dead refuses at once.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('four processes at once', () => {
  test('100 parallel registrations of one id give one device and one live secret', async () => {
    await using scene = await startScene();
    const { fleet } = scene;
    const body = { token: await fleet.mint(), manufacturerId: 'SN-1', proof: newProof() };
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => fleet.post(originOf(fleet, index), body)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const ids = new Set(answers.map((answer) => answer.body['deviceId']));
    expect(ids.size).toBe(1);
    const authenticated = [];
    for (const { body: answer } of answers) {
      const { accessKey = '', accessSecret = '' } = answer;
      authenticated.push(await fleet.store.authenticate({ accessKey, accessSecret }));
    }
    expect(authenticated.filter((device) => device !== undefined).length).toBe(1);
    expect(await holdings(fleet)).toEqual({ devices: [...ids], live: [...ids] });
  });

  test('without a proof one of 100 is the device, and the others are refused', async () => {
    await using scene = await startScene();
    const { fleet } = scene;
    const body = { token: await fleet.mint(), manufacturerId: 'SN-1' };
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => fleet.post(originOf(fleet, index), body)),
    );
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
    expect(answers.filter(({ status }) => status === 409).length).toBe(99);
  });

  test('a token of N uses registers N of 10 × N, never more and never fewer', async () => {
    await using scene = await startScene();
    const { fleet } = scene;
    for (const maxUses of [1, 7, 30]) {
      const token = await fleet.mint({ maxUses });
      const answers = await Promise.all(
        Array.from({ length: 10 * maxUses }, (_, index) =>
          fleet.post(originOf(fleet, index), {
            token,
            manufacturerId: `${maxUses}-${index}`,
            proof: newProof(),
          }),
        ),
      );
      expect(answers.filter(({ status }) => status === 200).length).toBe(maxUses);
      expect(answers.filter(({ status }) => status === 401).length).toBe(9 * maxUses);
    }
    expect((await holdings(fleet)).devices.length).toBe(1 + 7 + 30);
    const uses = [];
    for await (const token of fleet.store.tokens()) uses.push([token.uses, token.maxUses]);
    expect(uses.toSorted(([a = 0], [b = 0]) => a - b)).toEqual([
      [1, 1],
      [7, 7],
      [30, 30],
    ]);
  });

  test('a token that is revoked at one registers nobody at any', async () => {
    await using scene = await startScene();
    const { fleet } = scene;
    const token = await fleet.mint({ tokenId: 'lost' });
    expect((await fleet.post(originOf(fleet, 0), { token, manufacturerId: 'a' })).status).toBe(200);
    const { referenceOfTokenId } = await import('@endorse/dynamic-registration/tokens');
    await fleet.store.revokeToken({
      reference: referenceOfTokenId('example.com', 'lost'),
      issuer: 'example.com',
    });
    const statuses = await Promise.all(
      [0, 1, 2, 3].map(
        async (index) =>
          (await fleet.post(originOf(fleet, index), { token, manufacturerId: `b${index}` })).status,
      ),
    );
    expect(statuses).toEqual([401, 401, 401, 401]);
  });
});

describe('no lost device, no burnt id, no second device', () => {
  test('registrars die between commit and reply', async () => {
    await using scene = await startScene();
    const { fleet } = scene;
    const dying = await Promise.all([1, 2, 3].map((count) => fleet.start({ DIE_AFTER: String(count) })));
    const token = await fleet.mint({ maxUses: 40 });
    const origins = (): readonly string[] => [...dying, ...fleet.processes].map(({ origin }) => origin);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        insist(fleet, origins, { token, manufacturerId: `SN-${index}`, proof: newProof() }),
      ),
    );
    await Promise.all(dying.map(({ ended }) => ended));
    const ids = answers.map(({ body }) => body['deviceId'] ?? '').toSorted();
    expect(new Set(ids).size).toBe(40);
    expect(await holdings(fleet)).toEqual({ devices: ids, live: ids });
    for (const { body } of answers) {
      const { accessKey = '', accessSecret = '', deviceId = '' } = body;
      expect(await fleet.store.authenticate({ accessKey, accessSecret, deviceId })).toBeDefined();
    }
  });

  test('the database crashes under load, and comes back', async () => {
    await using scene = await startScene();
    const { fleet, postgresql } = scene;
    const token = await fleet.mint({ maxUses: 300 });
    const origins = (): readonly string[] => fleet.processes.map(({ origin }) => origin);
    let answered = 0;
    const load = Array.from({ length: 20 }, async (_, lane) => {
      const answers: RegistrationAnswer[] = [];
      for (let index = 0; index < 15; index += 1) {
        const manufacturerId = `SN-${lane}-${index}`;
        // Half of them are devices of the original kind, which have no proof.
        const proof = index % 2 === 0 ? { proof: newProof() } : {};
        answers.push(await insist(fleet, origins, { token, manufacturerId, ...proof }));
        answered += 1;
      }
      return answers;
    });
    await expect.poll(() => answered, { timeout: 60_000 }).toBeGreaterThan(30);
    await postgresql.crashAndRestart();
    const answers = (await Promise.all(load)).flat();
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 300 }, () => 200));
    const ids = answers.map(({ body }) => body['deviceId'] ?? '').toSorted();
    expect(new Set(ids).size).toBe(300);
    expect(await holdings(fleet)).toEqual({ devices: ids, live: ids });
  });
});
