/** Every option: what it does, and the documented result for an unknown name, a wrong value and a wrong time. */
import { Secret } from '@endorse/interface';
import type { ProvisioningOptionName } from '@endorse/provisioning-client';
import { ProvDeviceResult } from '@endorse/provisioning-client';
import { createScriptedTransport, createTestAuthority } from '@endorse/testkit';
import { describe, expect, test } from 'vitest';
import { startBench } from './support/bench.ts';
import { createFakeTpm } from './support/fake-tpm.ts';
import { createScriptedPeer } from './support/scripted-peer.ts';

const { OK, INVALID_ARG, INVALID_STATE, ERROR } = ProvDeviceResult;
const pem = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
const keyPem = '-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----\n';

const good: Readonly<Record<ProvisioningOptionName, unknown>> = {
  registration_id: 'another-name',
  provisioning_timeout: 5,
  logtrace: true,
  TrustedCerts: pem,
  proxy_data: { host: 'proxy.example.test', port: 3128 },
  x509certificate: pem,
  x509privatekey: keyPem,
};

const bad: readonly (readonly [string, unknown])[] = [
  ['registration_id', null],
  ['registration_id', ''],
  ['registration_id', 'with space'],
  ['registration_id', 7],
  ['provisioning_timeout', -1],
  ['provisioning_timeout', 256],
  ['provisioning_timeout', 1.5],
  ['provisioning_timeout', '5'],
  ['logtrace', 1],
  ['logtrace', undefined],
  ['TrustedCerts', 'no PEM'],
  ['TrustedCerts', keyPem],
  ['TrustedCerts', null],
  ['proxy_data', null],
  ['proxy_data', 'http://proxy.example.test:3128'],
  ['proxy_data', { host: 'proxy.example.test' }],
  ['proxy_data', { host: 'proxy.example.test:3128', port: 3128 }],
  ['proxy_data', { host: 'not a host', port: 3128 }],
  ['proxy_data', { host: 'proxy.example.test', port: 0 }],
  ['proxy_data', { host: 'proxy.example.test', port: 65_536 }],
  ['proxy_data', { host: 'proxy.example.test', port: 3128, username: 'user' }],
  ['proxy_data', { host: 'proxy.example.test', port: 3128, password: 'password' }],
  ['x509certificate', keyPem],
  ['x509privatekey', pem],
  ['x509privatekey', 7],
  ['do_work_freq_ms', 5],
  ['no_such_option', true],
  ['toString', true],
  ['', true],
];

test.each(Object.entries(good))('%s is taken between registrations', async (name, value) => {
  const { client } = await startBench();
  expect(client.setOption(name as 'logtrace', value as true)).toBe(OK);
});

test.each(bad)('%s %j is INVALID_ARG, and nothing changes', async (name, value) => {
  const { client, peer } = await startBench();
  expect(client.setOption(name as 'logtrace', value as true)).toBe(INVALID_ARG);
  expect([client.registrationId, peer.made.length]).toEqual(['my-device-1', 1]);
});

test.each(Object.entries(good))('%s during a registration', async (name, value) => {
  const { client, peer, begin } = await startBench();
  await begin();
  expect(client.setOption(name as 'logtrace', value as true)).toBe(name === 'logtrace' ? OK : INVALID_STATE);
  expect([client.registrationId, peer.made.length, client.state]).toEqual([
    'my-device-1',
    1,
    'REGISTER_SENT',
  ]);
});

describe('the connection', () => {
  test('is made anew for trust anchors, a proxy and a certificate, with all that was set', async () => {
    const { client, peer } = await startBench();
    client.setOption('TrustedCerts', pem);
    client.setOption('proxy_data', { host: '::1', port: 3128, username: 'u ser', password: 'pass/word' });
    client.setOption('x509certificate', pem);
    client.setOption('x509privatekey', Secret.fromText(keyPem));
    expect(peer.closes).toBe(4);
    const last = peer.made.at(-1);
    expect(last).toMatchObject({ host: 'dps.example.test', trustedCertificatesPem: pem });
    expect(last?.proxyUrl?.revealText()).toBe('http://u%20ser:pass%2Fword@[::1]:3128');
    expect(last?.clientCertificate?.certificatePem).toBe(pem);
    expect(last?.clientCertificate?.privateKeyPem.revealText()).toBe(keyPem);
  });

  test('stays as it was when the transport refuses a value', async () => {
    const faults: { make?: Error } = {};
    const peer = createScriptedPeer(faults);
    const { client, begin } = await startBench({ peer });
    faults.make = new Error('no such certificate');
    expect(client.setOption('TrustedCerts', pem)).toBe(ERROR);
    delete faults.make;
    await begin();
    expect(peer.closes).toBe(0);
  });

  test.each(['TrustedCerts', 'proxy_data', 'x509certificate', 'x509privatekey'] as const)(
    '%s is ERROR over a transport, which brings its own',
    async (name) => {
      const transport = createScriptedTransport([]);
      const { client } = await startBench({ transport, dialect: 'dps' });
      expect(client.setOption(name, good[name] as never)).toBe(ERROR);
    },
  );

  test('takes the certificate of the options over a transport for a device with a certificate', async () => {
    const authority = createTestAuthority();
    const own = authority.issue({ names: ['own'] });
    const other = authority.issue({ names: ['other'] });
    const transport = createScriptedTransport([{ call: 'register', answer: { hang: true } }]);
    const { client, register, turn } = await startBench({
      transport,
      dialect: 'dps',
      securityClient: {
        specificationVersion: 'v1',
        kind: 'x509',
        getRegistrationId: async () => 'own',
        getCertificate: async () => ({
          certificatePem: own.certificatePem,
          privateKeyPem: Secret.fromText(own.privateKeyPem),
        }),
      },
    });
    client.setOption('x509certificate', other.certificatePem);
    client.setOption('x509privatekey', other.privateKeyPem);
    register();
    await turn(4);
    expect(transport.calls[0]).toMatchObject({
      call: 'openSession',
      attestation: { kind: 'x509', certificate: { certificatePem: other.certificatePem } },
    });
  });
});

describe('logtrace', () => {
  test('logs every exchange while it is on, and nothing secret', async () => {
    const { client, peer, begin, untilAsked, turn, logLines } = await startBench();
    client.setOption('logtrace', true);
    client.setProvisioningPayload({ password: 'of the device' });
    await begin();
    peer.reply(401, { correlationId: 'c', nonce: 'AAECAwQFBgcICQ==' });
    await untilAsked();
    peer.reply(200, { progressUrl: '/p' });
    client.setOption('logtrace', false);
    await untilAsked();
    peer.reply(200, { IotHubUrl: 'hub' });
    await turn(2);
    const lines = logLines.map(({ text }) => text.replace(/ .*/, ''));
    expect(lines.filter((line) => line !== 'state-changed')).toEqual([
      'request-sent',
      'reply-received',
      'request-sent',
    ]);
    expect(JSON.stringify(logLines)).not.toMatch(/AAECAw|clear|YS1ub25j|of the device/);
    expect(logLines.every(({ level }) => level === 'debug')).toBe(true);
  });
});

describe('payload', () => {
  test.each([undefined, () => undefined, Symbol('x'), 1n])(
    'what is no JSON is INVALID_ARG (%#)',
    async (payload) => {
      const { client } = await startBench();
      expect(client.setProvisioningPayload(payload as never)).toBe(INVALID_ARG);
    },
  );
});

describe('create', () => {
  test.each([
    ['the drs dialect over a transport', { transport: createScriptedTransport([]) }],
    [
      'a TPM the transport does not carry',
      { transport: createScriptedTransport([], { attestations: ['x509'] }), dialect: 'dps' },
    ],
    [
      'the drs dialect without a TPM that decrypts nonces',
      { securityClient: { ...createFakeTpm(), decryptNonce: undefined } },
    ],
  ] as const)('refuses %s before any IO', async (_what, options) => {
    const reasons: unknown[] = [];
    await startBench({ ...(options as object), onCreateError: (error) => reasons.push(error) }).catch(
      () => undefined,
    );
    expect(reasons).toMatchObject([{ code: 'ERR_UNSUPPORTED_CAPABILITY' }]);
  });
});
