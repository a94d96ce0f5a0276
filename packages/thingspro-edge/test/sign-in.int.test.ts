import { inspect } from 'node:util';
import type { LogLevel } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { createGatewayClient } from '@endorse/thingspro-edge';
import { describe, expect, test } from 'vitest';
import type { PlannedAnswer } from './support/gateway.ts';
import { password, signIn, startGateway, trusting } from './support/gateway.ts';

const wrong = Secret.fromText('wrong-password-9');

describe('signing in', () => {
  test.each(['aig-301', 'aig-302'] as const)(
    '[L5] [L12] to an %s brings a token and tells a factory password',
    async (family) => {
      await using gateway = await startGateway({ family });
      await using session = await signIn(gateway);
      expect(session.user).toEqual({ name: 'admin', passwordNeverChanged: true, mustChangePassword: false });
      expect(session.profile.family).toBe(family);
      await session.getIdentity();
      expect(gateway.requests.map(({ headers }) => headers['authorization'])).toEqual([
        undefined,
        'Bearer token-1',
      ]);
    },
  );

  test('[L12] tells a password that was changed', async () => {
    await using gateway = await startGateway({
      family: 'aig-302',
      passwordChangedAt: '2026-01-01T00:00:00Z',
    });
    await using session = await signIn(gateway);
    expect(session.user.passwordNeverChanged).toBe(false);
  });

  test('[L3] is tried once, and a refusal is final', async () => {
    await using gateway = await startGateway();
    const client = createGatewayClient(trusting(gateway));
    const refused = client.signIn({ name: 'admin', password: wrong });
    await expect(refused).rejects.toMatchObject({ code: 'ERR_GATEWAY_SIGN_IN_REFUSED', retryable: false });
    expect(gateway.lines).toEqual(['POST /auth']);
  });

  test.each([
    ['[L4] a lock', { status: 423 }, 'ERR_GATEWAY_LOCKED'],
    [
      '[L11] the session limit',
      {
        status: 403,
        body: { error: { code: 403, message: 'session creation failed: maximum session limit reached' } },
      },
      'ERR_GATEWAY_SESSION_LIMIT',
    ],
    [
      '[L11] a refusal in the other envelope',
      { status: 403, body: { error: 'permission denied' } },
      'ERR_GATEWAY_FORBIDDEN',
    ],
    [
      '[L10] a redirect',
      { status: 307, headers: { location: 'https://127.0.0.1:1/' } },
      'ERR_REMOTE_REDIRECT',
    ],
    ['an answer that is no JSON', { status: 200, body: 'hello' }, 'ERR_REMOTE_MALFORMED'],
    ['an answer without a token', { status: 200, body: { data: { user: {} } } }, 'ERR_REMOTE_MALFORMED'],
    [
      'a page instead of an answer',
      { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } },
      'ERR_REMOTE_CONTENT_TYPE',
    ],
    [
      'a token that would break the header',
      { status: 200, body: { data: { token: 'a\r\nb', user: {} } } },
      'ERR_GATEWAY_OTHER',
    ],
    ['a huge answer', { status: 200, body: 'x'.repeat(70_000) }, 'ERR_REMOTE_TOO_LARGE'],
  ] as readonly (readonly [string, PlannedAnswer, string])[])(
    'ends at %s, after one request',
    async (_what, answer, code) => {
      await using gateway = await startGateway({ answer: () => answer });
      const options = { ...trusting(gateway), maxAnswerBytes: 65_536 };
      const refused = createGatewayClient(options).signIn({ name: 'admin', password });
      await expect(refused).rejects.toMatchObject({ code, retryable: false });
      expect(gateway.lines).toEqual(['POST /auth']);
      await expect.poll(() => gateway.open).toBe(0);
    },
  );

  test('accepts the licence agreement only when told to', async () => {
    await using gateway = await startGateway();
    await using _first = await signIn(gateway);
    const client = createGatewayClient(trusting(gateway));
    await using _second = await client.signIn({ name: 'admin', password, acceptEula: true });
    expect(gateway.requests.map(({ text }) => Object.keys(JSON.parse(text) as object))).toEqual([
      ['name', 'password'],
      ['name', 'password', 'acceptEULA'],
    ]);
  });

  test.each([
    [{ name: '', password }, 'credentials.name'],
    [{ name: 'two words', password }, 'credentials.name'],
    [{ name: 'admin', password: 'text' as unknown as Secret }, 'credentials.password'],
    [{ name: 'admin', password: Secret.fromText('') }, 'credentials.password'],
  ])('refuses credentials %# before any IO', async (credentials, argument) => {
    const client = createGatewayClient({ ...trusting({ port: 1, fingerprint: '0'.repeat(64) } as never) });
    await expect(client.signIn(credentials)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      argument,
    });
  });
});

describe('a session', () => {
  test('[L6] renews an expired token once, and goes on', async () => {
    await using gateway = await startGateway();
    await using session = await signIn(gateway);
    gateway.expireTokens();
    expect((await session.getIdentity()).serialNumber).toBe('TBBDB1179242');
    expect(gateway.lines).toEqual(['POST /auth', 'GET /device/general', 'POST /auth', 'GET /device/general']);
  });

  test('[L6] fails when the renewed token is refused as well', async () => {
    await using gateway = await startGateway({
      answer: ({ path }) =>
        path === '/device/general' ? { status: 401, body: { error: 'authentication required' } } : undefined,
    });
    await using session = await signIn(gateway);
    await expect(session.getIdentity()).rejects.toMatchObject({ code: 'ERR_GATEWAY_SESSION_EXPIRED' });
    expect(gateway.lines.filter((line) => line === 'POST /auth')).toHaveLength(2);
  });

  test('[L9] ends itself on a gateway that lists sessions, also after a failure, and is signed out once', async () => {
    await using gateway = await startGateway({ family: 'aig-302' });
    const session = await signIn(gateway);
    await using _other = await signIn(gateway);
    await expect(session.writeSetting({ setting: 'service', id: 'ntp', value: true })).rejects.toMatchObject({
      code: 'ERR_GATEWAY_NOT_FOUND',
    });
    await Promise.all([session.close(), session.close()]);
    await session.close();
    expect(gateway.sessions).toBe(1);
    expect(gateway.lines.slice(-2)).toEqual(['GET /sessions', 'DELETE /sessions/1']);
    await expect(session.getIdentity()).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
  });

  test('[L9] ends within its time when the gateway does not answer any more', async () => {
    await using gateway = await startGateway({
      family: 'aig-302',
      answer: ({ path }) => (path === '/auth' ? undefined : 'hang'),
    });
    const lines: string[] = [];
    const logger = { log: (_level: LogLevel, event: string) => lines.push(event) };
    const session = await signIn(gateway, { closeTimeoutMs: 50, logger });
    await session.close();
    expect(lines).toContain('sign-out-failed');
    await expect.poll(() => gateway.open).toBe(0);
  });

  test('uses one connection, one request after the other, and a new one after a loss', async () => {
    let cut = true;
    await using gateway = await startGateway({
      answer: ({ path }) => {
        if (path !== '/device/time' || !cut) return undefined;
        cut = false;
        return 'cut';
      },
    });
    await using session = await signIn(gateway);
    await Promise.all([session.getIdentity(), session.getEdgeConfiguration(), session.getNetworkPorts()]);
    expect(gateway.connections).toBe(1);
    await expect(session.getTime()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_LOST', retryable: true });
    expect(await session.getTime()).toBe(Date.parse('2026-01-01T19:04:05Z'));
    expect(gateway.connections).toBe(2);
  });

  test('is bounded by its time-out and by an abort, each of which takes the connection down', async () => {
    await using gateway = await startGateway({
      answer: ({ path }) => (path === '/auth' ? undefined : 'hang'),
    });
    const short = await signIn(gateway, { requestTimeoutMs: 300 });
    await expect(short.getIdentity()).rejects.toMatchObject({ code: 'ERR_TIMEOUT', retryable: true });
    await short.close();
    const session = await signIn(gateway);
    const reason = new Error('enough');
    const abort = new AbortController();
    const asked = session.getIdentity({ signal: abort.signal });
    const waiting = session.getTime({ signal: abort.signal });
    abort.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await expect(waiting).rejects.toBe(reason);
    await session.close();
    await expect.poll(() => gateway.open).toBe(0);
  });

  test('[L8] shows no password and no token in errors, logs or inspection, even when the gateway repeats them', async () => {
    const told: unknown[] = [];
    const logger = { log: (...line: readonly unknown[]) => told.push(line) };
    await using gateway = await startGateway({
      answer: ({ path, headers, text }) =>
        path === '/users/me/password'
          ? { status: 400, body: { error: `no: ${text} ${headers['authorization'] ?? ''}` } }
          : undefined,
    });
    const session = await signIn(gateway, { logger });
    const newPassword = Secret.fromText('brand-new-secret-3');
    told.push(await session.changePassword({ newPassword }).catch((error: unknown) => error));
    told.push(session);
    await session.close();
    const text =
      inspect(told, { depth: 10, showHidden: true }) +
      told.map((each) => (each instanceof Error ? each.stack : '')).join('');
    for (const secret of [password.revealText(), 'token-1', 'brand-new-secret-3'])
      expect(text).not.toContain(secret);
    expect(text).toContain('ERR_GATEWAY_REFUSED');
  });
});
