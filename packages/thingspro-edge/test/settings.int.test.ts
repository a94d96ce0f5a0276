import { Secret } from '@endorse/interface';
import { createMemoryPins, planSettings } from '@endorse/thingspro-edge';
import { describe, expect, test } from 'vitest';
import { certificates, password, signIn, startGateway } from './support/gateway.ts';

const desired = {
  hostName: 'line-1',
  ssh: { enabled: false },
  discovery: false,
  serialConsole: false,
  services: { opcuaserver: false, dhcpserver1: true, telnet: false },
};

test.each(['aig-301', 'aig-302'] as const)(
  '[F1] [F2] [F6] [F7] settings of an %s are read, compared and written once',
  async (family) => {
    await using gateway = await startGateway({ family });
    await using session = await signIn(gateway);
    const steps = planSettings(await session.getSettings(), desired);
    for (const step of steps) if (step.effect === 'change') await session.writeSetting(step.write);
    const hasServices = family === 'aig-301';
    expect(steps.map(({ name, effect }) => `${name} ${effect}`)).toEqual([
      'host-name change',
      `service:opcuaserver ${hasServices ? 'change' : 'not-applicable'}`,
      'service:dhcpserver1 not-applicable',
      'service:telnet not-applicable',
      'serial-console change',
      'ssh change',
      'discovery change',
    ]);
    const after = await session.getSettings();
    expect(after).toMatchObject({
      hostName: 'line-1',
      discovery: false,
      serialConsole: false,
      ssh: { enabled: false, port: 22 },
    });
    const again = planSettings(after, desired).filter(({ effect }) => effect === 'change');
    expect(again).toEqual([]);
    const written = gateway.lines.filter(
      (line) => /discovery|provision$/.test(line) && line.startsWith('PUT'),
    );
    expect(written).toEqual([family === 'aig-301' ? 'PUT /system/discovery' : 'PUT /system/provision']);
  },
);

test('the time is set in the form the API takes', async () => {
  await using gateway = await startGateway();
  await using session = await signIn(gateway);
  await session.setTime(1_700_000_000_999);
  expect(await session.getTime()).toBe(1_700_000_000_000);
});

describe('the password', () => {
  test('is changed, and the session renews itself with the new one', async () => {
    await using gateway = await startGateway();
    await using session = await signIn(gateway);
    const newPassword = Secret.fromText('battery-staple-2');
    await session.changePassword({ newPassword });
    newPassword.dispose();
    gateway.expireTokens();
    await session.getIdentity();
    const sent = gateway.requests
      .filter(({ path }) => path === '/auth')
      .map(({ text }) => (JSON.parse(text) as { password: string }).password);
    expect(sent).toEqual([password.revealText(), 'battery-staple-2']);
  });

  test('stays when the old one is wrong, and that is told apart from an expired session', async () => {
    await using gateway = await startGateway();
    await using session = await signIn(gateway);
    const change = {
      newPassword: Secret.fromText('battery-staple-2'),
      oldPassword: Secret.fromText('not-the-password'),
    };
    await expect(session.changePassword(change)).rejects.toMatchObject({ code: 'ERR_GATEWAY_REFUSED' });
    gateway.expireTokens();
    await session.getIdentity();
  });

  test.each(['short', 'with blanks in it', 'x'.repeat(256)])('is refused before any IO: %s', async (text) => {
    await using gateway = await startGateway();
    await using session = await signIn(gateway);
    const refused = session.changePassword({ newPassword: Secret.fromText(text) });
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.not.stringContaining(text) as string,
    });
  });
});

describe('the certificate', () => {
  test.each(['aig-301', 'aig-302'] as const)(
    '[F5] of an %s is replaced, and the new one is pinned',
    async (family) => {
      await using gateway = await startGateway({ family });
      const pins = createMemoryPins({ gateway: gateway.fingerprint });
      await using session = await signIn(gateway, { trust: { mode: 'strict', pins } });
      const { cert, key } = certificates.second;
      const fingerprint = await session.replaceHttpsCertificate({
        certificatePem: cert,
        privateKeyPem: Secret.fromText(key),
      });
      expect(await pins.get('gateway')).toEqual([fingerprint]);
      expect(session.fingerprint).toBe(fingerprint);
      await session.getIdentity();
    },
  );

  test('[F5] that the gateway refuses leaves both pinned, so that whichever it shows is believed', async () => {
    await using gateway = await startGateway({
      answer: ({ method, path }) =>
        method === 'PATCH' && path === '/system/httpserver'
          ? { status: 400, body: { code: 400, message: 'insecure key length' } }
          : undefined,
    });
    const pins = createMemoryPins({ gateway: gateway.fingerprint });
    await using session = await signIn(gateway, { trust: { mode: 'strict', pins } });
    const { cert, key } = certificates.second;
    const refused = session.replaceHttpsCertificate({
      certificatePem: cert,
      privateKeyPem: Secret.fromText(key),
    });
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_GATEWAY_REFUSED',
      message: expect.stringContaining('insecure key length') as string,
    });
    expect(await pins.get('gateway')).toHaveLength(2);
  });

  test('[F5] is waited for while the gateway still shows the old one and drops connections', async () => {
    let looks = 0;
    await using gateway = await startGateway({
      answer: ({ method, path }) => {
        if (method === 'PATCH' && path === '/system/httpserver') return 'cut';
        if (method === 'GET' && path === '/auth') {
          looks += 1;
          if (looks < 3) return 'cut';
        }
        return undefined;
      },
    });
    await using session = await signIn(gateway, { returnTimeoutMs: 1_500 });
    const { cert, key } = certificates.second;
    const late = session.replaceHttpsCertificate({
      certificatePem: cert,
      privateKeyPem: Secret.fromText(key),
    });
    await expect(late).rejects.toMatchObject({ code: 'ERR_TIMEOUT', state: 'awaiting-return' });
    expect(looks).toBeGreaterThan(3);
  });

  test.each([
    [
      'a key of another certificate',
      { certificatePem: certificates.second.cert, privateKeyPem: Secret.fromText(certificates.first.key) },
    ],
    ['no key', { certificatePem: certificates.second.cert, privateKeyPem: Secret.fromText('none') }],
    ['no certificate', { certificatePem: 'none', privateKeyPem: Secret.fromText(certificates.first.key) }],
  ])('with %s is refused before any IO', async (_what, certificate) => {
    await using gateway = await startGateway();
    await using session = await signIn(gateway);
    await expect(session.replaceHttpsCertificate(certificate)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
    expect(gateway.lines).toEqual(['POST /auth']);
  });
});

test('[F3] the session follows the API to another port', async () => {
  await using gateway = await startGateway();
  await using elsewhere = await startGateway();
  await using session = await signIn(gateway);
  await session.writeSetting({ setting: 'https-port', value: elsewhere.port });
  expect(elsewhere.lines[0]).toBe('GET /auth');
  await session.getIdentity();
  expect(elsewhere.lines).toContain('GET /device/general');
});
