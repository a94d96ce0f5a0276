/**
 * The contract of the original template: path, bodies, the three 403 messages, the reply. Oracle: its workflow, whose
 * messages these are, letter for letter, and a token as its platform makes it, signed by node:crypto.
 */
import { describe, expect, test } from 'vitest';
import { forge } from './support/forge.ts';
import { read, seedKey, startHandler } from './support/registrar-fixture.ts';

const secret = Buffer.from('YOUR JWT SECRET');
const payload = {
  url: 'https://5f9c.onlosant.com/api/register-device',
  iss: 'example.com',
  iat: 1_603_000_000,
};
const token = forge({ alg: 'HS256', typ: 'JWT' }, payload, secret);
const start = () => startHandler({ compatible: true, keys: [seedKey], audience: [] });

describe('compatibility mode', () => {
  test('a token that never expires registers a device, once', async () => {
    await using registrar = await start();
    const request = { token, manufacturerId: 'UNIQUE_MANUFACTURER_ID' };
    const { status, body } = await read(await registrar.post(request));
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['deviceId', 'accessKey', 'accessSecret']);
    expect(await registrar.store.device(body['deviceId'] ?? '')).toMatchObject({
      name: 'Generator - UNIQUE_MANUFACTURER_ID',
      recipe: 'tl-generator',
      definition: expect.stringContaining('"manufacturerId":"UNIQUE_MANUFACTURER_ID"') as string,
    });
    expect(await read(await registrar.post(request))).toEqual({
      status: 403,
      body: { error: 'Device already registered.' },
    });
  });

  test.each<readonly [string, unknown, string]>([
    ['no id', { token }, 'Missing manufacturerId field.'],
    ['no id and no token: the id comes first', {}, 'Missing manufacturerId field.'],
    ['an id that nothing can be made of', { token, manufacturerId: null }, 'Missing manufacturerId field.'],
    ['no token', { manufacturerId: 'a' }, 'Invalid registration token'],
    ['a token that is none', { token: 'x', manufacturerId: 'a' }, 'Invalid registration token'],
    [
      'another secret',
      { token: forge({ alg: 'HS256' }, payload, Buffer.from('x')), manufacturerId: 'a' },
      'Invalid registration token',
    ],
    [
      'another issuer',
      { token: forge({ alg: 'HS256' }, { ...payload, iss: 'x' }, secret), manufacturerId: 'a' },
      'Invalid registration token',
    ],
    [
      'an expired token',
      { token: forge({ alg: 'HS256' }, { ...payload, exp: 1 }, secret), manufacturerId: 'a' },
      'Invalid registration token',
    ],
  ])('%s', async (_name, body, error) => {
    await using registrar = await start();
    expect(await read(await registrar.post(body))).toEqual({ status: 403, body: { error } });
  });

  test('a number is an id, as in the original', async () => {
    await using registrar = await start();
    const { body } = await read(await registrar.post({ token, manufacturerId: 42 }));
    expect(await registrar.store.device(body['deviceId'] ?? '')).toMatchObject({ manufacturerId: '42' });
  });

  test.each([
    ['urlencoded', new URLSearchParams({ token, manufacturerId: 'a' })],
    ['multipart', formOf({ token, manufacturerId: 'a' })],
  ])('a form, %s, is read as in the original', async (_name, body) => {
    await using registrar = await start();
    const request = new Request('https://x.example/api/register-device', { method: 'POST', body });
    expect((await registrar.handler(request)).status).toBe(200);
  });

  test('what is weak about a token is logged', async () => {
    await using registrar = await start();
    await registrar.post({ token, manufacturerId: 'a' });
    expect(registrar.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        event: 'weak-token',
        weaknesses: ['no-expiry', 'no-token-id', 'no-audience', 'no-type', 'no-key-id', 'weak-secret'],
      }),
    );
    expect(registrar.metrics.snapshot()['weak_tokens.accepted']).toBe(1);
  });

  test('a token without a jti is revoked by what its signature covers', async () => {
    await using registrar = await start();
    const { inspectToken } = await import('../src/tokens/index.ts');
    await registrar.store.revokeToken({ reference: inspectToken(token).reference, issuer: 'example.com' });
    expect(await read(await registrar.post({ token, manufacturerId: 'a' }))).toEqual({
      status: 403,
      body: { error: 'Invalid registration token' },
    });
  });

  test('strict mode takes neither the secret nor the token', async () => {
    await expect(startHandler({ keys: [seedKey] })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await using registrar = await startHandler();
    expect((await registrar.post({ token, manufacturerId: 'a' })).status).toBe(401);
  });
});

function formOf(fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}
