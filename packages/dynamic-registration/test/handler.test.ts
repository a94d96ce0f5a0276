import { describe, expect, test } from 'vitest';
import { proof } from './support/store-fixture.ts';
import { read, startHandler } from './support/registrar-fixture.ts';

const proofText = Buffer.from(proof).toString('base64url');

describe('a device in strict mode', () => {
  test('registers, and its credentials authenticate GET /api/device', async () => {
    await using registrar = await startHandler({ broker: 'mqtts://broker.example:8883' });
    const token = await registrar.mint({ tags: { site: 'north' } });
    const response = await registrar.post({ token, manufacturerId: 'AA:01' });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    const { status, body } = await read(response);
    expect(status).toBe(200);
    expect(body).toEqual({
      deviceId: expect.stringMatching(/^[0-9a-f]{24}$/) as string,
      accessKey: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      accessSecret: expect.stringMatching(/^[\w-]{43}$/) as string,
      broker: 'mqtts://broker.example:8883',
    });
    const credentials = body as { accessKey: string; accessSecret: string };
    const device = await read(await registrar.call('/api/device', 'GET', credentials));
    expect(device.body).toMatchObject({
      deviceId: body['deviceId'],
      name: 'Generator - AA:01',
      recipe: 'tl-generator',
      deviceClass: 'standalone',
      tags: { manufacturerId: 'AA:01', site: 'north' },
    });
    expect((device.body as unknown as { attributes: unknown[] }).attributes.length).toBe(18);
  });

  test('says its token in the Authorization header, too, but not in both places', async () => {
    await using registrar = await startHandler();
    const token = await registrar.mint();
    const authorization = `Bearer ${token}`;
    expect((await registrar.post({ manufacturerId: 'a' }, { authorization })).status).toBe(200);
    expect((await registrar.post({ manufacturerId: 'b', token }, { authorization })).status).toBe(400);
  });

  test('that lost the reply asks again with its proof, and gets the same device with a new secret', async () => {
    await using registrar = await startHandler();
    const request = { token: await registrar.mint({ maxUses: 1 }), manufacturerId: 'a', proof: proofText };
    const first = await registrar.post(request);
    const second = await registrar.post(request);
    expect([first, second].map(({ headers }) => headers.get('registration-outcome'))).toEqual([
      'created',
      'reissued',
    ]);
    const [lost, kept] = [await read(first), await read(second)];
    expect(kept.body['deviceId']).toBe(lost.body['deviceId']);
    expect(kept.body['accessSecret']).not.toBe(lost.body['accessSecret']);
    const credentials = kept.body as { accessKey: string; accessSecret: string };
    expect((await registrar.call('/api/device/acknowledgement', 'POST', credentials)).status).toBe(204);
    expect((await read(await registrar.post(request))).body).toMatchObject({
      status: 409,
      code: 'already-active',
    });
  });

  test('rotates its credentials; the old ones are good until the new ones are used', async () => {
    await using registrar = await startHandler();
    const old = (await read(await registrar.post({ token: await registrar.mint(), manufacturerId: 'a' })))
      .body as never;
    const next = (await read(await registrar.call('/api/device/credentials', 'POST', old))).body as never;
    const status = async (credentials: never): Promise<number> =>
      (await registrar.call('/api/device', 'GET', credentials)).status;
    expect([await status(old), await status(next), await status(old)]).toEqual([200, 200, 401]);
  });
});

describe('refusals', () => {
  test.each<readonly [string, unknown, Readonly<Record<string, string>>, number, string]>([
    ['no body', '', {}, 400, 'bad-request'],
    ['no JSON', '{', {}, 400, 'bad-request'],
    ['an array', '[]', {}, 400, 'bad-request'],
    ['a field twice', '{"manufacturerId":"a","manufacturerId":"b"}', {}, 400, 'bad-request'],
    ['a field nobody knows', { token: 'x', manufacturerId: 'a', admin: true }, {}, 400, 'bad-request'],
    ['deep JSON', `{"token":${'['.repeat(5000)}${']'.repeat(5000)}}`, {}, 400, 'bad-request'],
    ['no id', { token: 'x' }, {}, 400, 'bad-request'],
    ['an empty id', { token: 'x', manufacturerId: '' }, {}, 400, 'bad-request'],
    ['an id that is a number', { token: 'x', manufacturerId: 7 }, {}, 400, 'bad-request'],
    ['an id that is an object', { token: 'x', manufacturerId: {} }, {}, 400, 'bad-request'],
    ['an id with a line feed', { token: 'x', manufacturerId: 'a\nb' }, {}, 400, 'bad-request'],
    ['an id of 256 characters', { token: 'x', manufacturerId: 'a'.repeat(256) }, {}, 400, 'bad-request'],
    ['half a character', '{"token":"x","manufacturerId":"\\ud800"}', {}, 400, 'bad-request'],
    ['a proof that is too short', { token: 'x', manufacturerId: 'a', proof: 'AAAA' }, {}, 400, 'bad-request'],
    [
      'keys that are no TPM’s',
      { token: 'x', manufacturerId: 'a', tpm: { endorsementKey: 'AA', storageRootKey: 'AA' } },
      {},
      400,
      'bad-request',
    ],
    ['no token', { manufacturerId: 'a' }, {}, 401, 'token-refused'],
    ['a token that is none', { token: 'x', manufacturerId: 'a' }, {}, 401, 'token-refused'],
    ['20 kB', { token: 'x'.repeat(20_000), manufacturerId: 'a' }, {}, 413, 'too-large'],
    [
      'a form',
      'token=x&manufacturerId=a',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'unsupported-media-type',
    ],
    ['text', '{}', { 'content-type': 'text/plain' }, 415, 'unsupported-media-type'],
  ])('%s', async (_name, body, headers, status, code) => {
    await using registrar = await startHandler();
    const response = await registrar.post(body, headers);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await read(response)).toMatchObject({ status, body: { status, code } });
  });

  test.each([
    ['GET', '/api/register-device', 405],
    ['POST', '/api/device', 405],
    ['GET', '/', 404],
    ['GET', '/api/device/../device', 401],
    ['GET', '/api/device', 401],
  ] as const)('%s %s', async (method, path, status) => {
    await using registrar = await startHandler();
    expect(
      (await registrar.handler(new Request(new URL(path, 'https://x.example'), { method }))).status,
    ).toBe(status);
  });

  test('every bad token gets the same answer, whatever is wrong; the operator learns the reason', async () => {
    await using registrar = await startHandler();
    const revoked = await registrar.mint({ tokenId: 'revoked' });
    const { inspectToken } = await import('../src/tokens/index.ts');
    await registrar.store.revokeToken({ reference: inspectToken(revoked).reference, issuer: 'example.com' });
    const used = await registrar.mint({ maxUses: 1 });
    await registrar.post({ token: used, manufacturerId: 'first' });
    const expired = await registrar.mint({ expiresInMs: 1000 });
    const future = await registrar.mint({ notBefore: registrar.clock.now() + 60_000_000 });
    await registrar.clock.advance(10_000);
    const tokens = ['x', expired, future, revoked, used, `${revoked} `];
    const replies = [];
    for (const token of tokens)
      replies.push(await (await registrar.post({ token, manufacturerId: 'a' })).text());
    expect(new Set(replies).size).toBe(1);
    const reasons = registrar.lines
      .filter(({ event }) => event === 'registration-refused')
      .map(({ reason }) => reason);
    expect(reasons).toEqual([
      'malformed',
      'expired',
      'not-yet-valid',
      'token-revoked',
      'token-used-up',
      'not-canonical',
    ]);
  });

  test('wrong credentials of a device', async () => {
    await using registrar = await startHandler();
    const { body } = await read(await registrar.post({ token: await registrar.mint(), manufacturerId: 'a' }));
    for (const header of [
      '',
      'Basic',
      'Basic !!!',
      'Basic Og==',
      `Basic ${'A'.repeat(2000)}`,
      `Bearer ${String(body['accessSecret'])}`,
    ]) {
      const response = await registrar.handler(
        new Request('https://x.example/api/device', { headers: { authorization: header } }),
      );
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([
        401,
        'Basic realm="device", charset="UTF-8"',
      ]);
    }
  });
});

describe('policy', () => {
  test.each([
    ['an id outside the pattern of the token', {}, { idPattern: 'SN-####' }, 'XX-0001', 'id-not-allowed'],
    ['an id that is not listed', { allowedIds: new Set(['b']) }, {}, 'a', 'id-not-allowed'],
    ['an id that a question denies', { allowedIds: async () => false }, {}, 'a', 'id-not-allowed'],
    ['an id that is no MAC address', { normalizeId: 'mac-address' }, {}, 'hello', 'id-not-allowed'],
    ['no TPM, where the token demands one', {}, { endorsementKey: 'any' }, 'a', 'tpm-required'],
    ['no TPM, where the registrar demands one', { requireTpm: true }, {}, 'a', 'tpm-required'],
    ['no proof, where one is demanded', { requireProof: true }, {}, 'a', 'proof-required'],
    ['a recipe that is not there', {}, { recipe: 'unknown' }, 'a', 'registration-denied'],
    [
      'a hook that says no',
      { beforeRegistration: async () => ({ allow: false, reason: 'quota' }) },
      {},
      'a',
      'registration-denied',
    ],
    [
      'a hook that fails',
      { beforeRegistration: async () => Promise.reject(new Error('down')) },
      {},
      'a',
      'registration-denied',
    ],
    [
      'a hook that says nothing',
      { beforeRegistration: async () => undefined as never },
      {},
      'a',
      'registration-denied',
    ],
  ] as const)(
    '%s: 403, in the audit log, no device',
    async (_name, options, claims, manufacturerId, code) => {
      await using registrar = await startHandler(options);
      const reply = await read(await registrar.post({ token: await registrar.mint(claims), manufacturerId }));
      expect(reply).toMatchObject({ status: 403, body: { code } });
      const events = [];
      for await (const event of registrar.store.auditEvents()) events.push(event);
      expect(events).toMatchObject([{ event: 'registration-refused', manufacturerId, source: '192.0.2.1' }]);
    },
  );

  test('a hook that takes too long denies, and hears of it', async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    await using registrar = await startHandler({
      hookTimeoutMs: 1000,
      beforeRegistration: (_attempt, { signal }) => {
        asked.resolve(signal);
        return new Promise(() => undefined);
      },
    });
    const reply = registrar.post({ token: await registrar.mint(), manufacturerId: 'a' });
    const signal = await asked.promise;
    await registrar.clock.advance(1000);
    expect([(await reply).status, signal.aborted]).toEqual([403, true]);
  });

  test('a hook names the device and adds tags, but not the manufacturer id', async () => {
    await using registrar = await startHandler({
      beforeRegistration: async ({ manufacturerId }) => ({
        allow: true,
        name: `Pump ${manufacturerId}`,
        tags: { manufacturerId: 'forged', line: '7' },
      }),
    });
    const { body } = await read(await registrar.post({ token: await registrar.mint(), manufacturerId: 'a' }));
    expect(await registrar.store.device(body['deviceId'] ?? '')).toMatchObject({
      name: 'Pump a',
      definition: expect.stringContaining('"tags":{"manufacturerId":"a","line":"7"}') as string,
    });
  });

  test.each([
    ['exact', 'AA:BB:CC:00:11:22', 'aa:bb:cc:00:11:22', 200],
    ['case-insensitive', 'Serial-1', ' SERIAL-1', 409],
    ['mac-address', 'AA:BB:CC:00:11:22', 'aabb.cc00.1122', 409],
    [(id: string) => id.slice(0, 2), 'abc', 'abd', 409],
  ] as const)('ids compared %s', async (normalizer, first, second, status) => {
    await using registrar = await startHandler({ normalizeId: normalizer });
    const token = await registrar.mint();
    expect((await registrar.post({ token, manufacturerId: first })).status).toBe(200);
    expect((await registrar.post({ token, manufacturerId: second })).status).toBe(status);
  });
});

describe('rate limits', () => {
  const wide = { burst: 1000, perMinute: 1000 };
  const one = { burst: 1, perMinute: 6 };
  const open = { perSource: wide, perToken: wide, perId: wide, global: wide, failures: wide };

  test.each([
    ['of an address', { ...open, perSource: one }],
    ['of a token', { ...open, perToken: one }],
    ['of an id', { ...open, perId: one }],
    ['of everybody', { ...open, global: one }],
  ] as const)('%s: 429 with the time to wait, and then it goes on', async (_name, rateLimits) => {
    await using registrar = await startHandler({ rateLimits });
    const request = { token: await registrar.mint(), manufacturerId: 'a', proof: proofText };
    expect((await registrar.post(request)).status).toBe(200);
    const limited = await registrar.post(request);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '10']);
    await registrar.clock.advance(10_000);
    expect((await registrar.post(request)).status).toBe(200);
  });

  test('guessing tokens closes the door for that address, for good ones, too', async () => {
    await using registrar = await startHandler({
      rateLimits: { ...open, failures: { burst: 3, perMinute: 6 } },
    });
    const token = await registrar.mint();
    const statuses = [];
    for (let guess = 0; guess < 4; guess += 1)
      statuses.push((await registrar.post({ token: 'x', manufacturerId: 'a' })).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
    expect((await registrar.post({ token, manufacturerId: 'a' })).status).toBe(429);
  });
});

test('nothing that is secret is logged, counted or audited', async () => {
  await using registrar = await startHandler({ broker: 'mqtts://b' });
  const token = await registrar.mint();
  const { body } = await read(await registrar.post({ token, manufacturerId: 'a', proof: proofText }));
  await registrar.post({ token: `${token}x`, manufacturerId: 'a', proof: proofText });
  const audit = [];
  for await (const event of registrar.store.auditEvents()) audit.push(event);
  const written = JSON.stringify([registrar.lines, audit, registrar.metrics.snapshot()]);
  expect(written).toContain(body['deviceId']);
  for (const secret of [token, proofText, body['accessSecret'] ?? '', token.split('.')[2] ?? '']) {
    expect(written).not.toContain(secret);
  }
  expect(registrar.metrics.render()).toContain('endorse_registrar_registrations_total{result="created"} 1\n');
});

test.each<readonly [string, object, string]>([
  ['no keys', { keys: [] }, 'ERR_INVALID_ARGUMENT'],
  ['no audience', { audience: [] }, 'ERR_INVALID_ARGUMENT'],
  ['a path without a slash', { registrationPath: 'x' }, 'ERR_INVALID_ARGUMENT'],
  ['a default recipe that is none', { defaultRecipe: 'x' }, 'ERR_INVALID_ARGUMENT'],
  ['a hook time of nothing', { hookTimeoutMs: 0 }, 'ERR_OUT_OF_RANGE'],
  ['a limit of nothing', { rateLimits: { perSource: { burst: 0, perMinute: 1 } } }, 'ERR_OUT_OF_RANGE'],
])('%s is refused before anything is served', async (_name, options, code) => {
  await expect(startHandler(options)).rejects.toMatchObject({ code });
});
