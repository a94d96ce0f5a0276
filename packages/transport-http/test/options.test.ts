import { describe, expect, test } from 'vitest';
import { Secret } from '@endorse/interface';
import type { HttpTransportOptions } from '@endorse/transport-http';
import { createHttpTransport } from '@endorse/transport-http';
import { createTestAuthority } from '@endorse/testkit';

const target = { provisioningHost: 'dps.example.test', idScope: '0ne00000001', registrationId: 'device-1' };
const { certificatePem: ca } = createTestAuthority();
const notPem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

describe('options', () => {
  test.each<[string, unknown, string, string?]>([
    ['options', null, 'options'],
    ['a misspelt name', { cA: ca }, 'options.cA'],
    ['ca', { ca: 'nonsense' }, 'options.ca'],
    ['ca that only looks like PEM', { ca: notPem }, 'options.ca'],
    ['ca of nothing', { ca: [] }, 'options.ca'],
    ['ca of which one is nonsense', { ca: [ca, 'nonsense'] }, 'options.ca'],
    ['ca of another type', { ca: 7 }, 'options.ca'],
    ['proxyCa', { proxyUrl: 'https://proxy', proxyCa: notPem }, 'options.proxyCa'],
    ['proxyUrl', { proxyUrl: 'proxy:3128' }, 'options.proxyUrl'],
    ['proxyUrl with a path', { proxyUrl: 'http://proxy/x' }, 'options.proxyUrl'],
    ['proxyUrl with a bad escape', { proxyUrl: 'http://a%zz:b@proxy' }, 'options.proxyUrl'],
    ['proxyUrl for SOCKS', { proxyUrl: 'socks5://proxy' }, 'options.proxyUrl'],
    ['proxyUrl of another type', { proxyUrl: 7 }, 'options.proxyUrl'],
    ['proxyFromEnvironment', { proxyFromEnvironment: 'yes' }, 'options.proxyFromEnvironment'],
    ['two proxies', { proxyFromEnvironment: true, proxyUrl: 'http://p' }, 'options.proxyFromEnvironment'],
    ['dispatcher', { dispatcher: {} }, 'options.dispatcher'],
    ['dispatcher and ca', { dispatcher: { dispatch: () => true }, ca }, 'options.dispatcher'],
    ['apiVersion', { apiVersion: 'latest' }, 'options.apiVersion'],
    ['userAgent', { userAgent: 'a\r\nb: c' }, 'options.userAgent'],
    ['maxBodyBytes', { maxBodyBytes: 0 }, 'options.maxBodyBytes', 'ERR_OUT_OF_RANGE'],
    [
      'maxBodyBytes beyond the decoder',
      { maxBodyBytes: 1_048_577 },
      'options.maxBodyBytes',
      'ERR_OUT_OF_RANGE',
    ],
    ['maxHeaderBytes', { maxHeaderBytes: 1.5 }, 'options.maxHeaderBytes', 'ERR_OUT_OF_RANGE'],
    ['connectTimeoutMs', { connectTimeoutMs: 0 }, 'options.connectTimeoutMs', 'ERR_OUT_OF_RANGE'],
    ['headersTimeoutMs', { headersTimeoutMs: 600_001 }, 'options.headersTimeoutMs', 'ERR_OUT_OF_RANGE'],
    ['bodyTimeoutMs', { bodyTimeoutMs: Number.NaN }, 'options.bodyTimeoutMs', 'ERR_OUT_OF_RANGE'],
  ])('refuses %s', (_title, options, argument, code = 'ERR_INVALID_ARGUMENT') => {
    expect(() => createHttpTransport(options as HttpTransportOptions)).toThrowError(
      expect.objectContaining({ name: 'InvalidArgumentError', argument, code }),
    );
  });

  test('never repeats the password of a proxy address it refuses', () => {
    const addresses = [
      'http://user:hunter2@proxy:99999',
      'ftp://user:hunter2@proxy',
      'http://user:hunter2@proxy/x',
    ];
    for (const proxyUrl of [...addresses, Secret.fromText('user:hunter2')]) {
      const attempt = (): unknown => createHttpTransport({ proxyUrl });
      expect(attempt).toThrowError(expect.objectContaining({ argument: 'options.proxyUrl' }));
      try {
        attempt();
      } catch (error) {
        expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2');
      }
    }
  });

  test('accepts certificates as one text, several texts, and several in one text', () => {
    for (const given of [ca, [ca, ca], `# comment\n${ca}\n${ca}`]) createHttpTransport({ ca: given });
  });
});

describe('opening a session', () => {
  test.each<[string, unknown, unknown, string]>([
    ['no target', undefined, { kind: 'tpm' }, 'target'],
    [
      'a host with a scheme',
      { ...target, provisioningHost: 'https://x' },
      { kind: 'tpm' },
      'target.provisioningHost',
    ],
    ['an empty ID scope', { ...target, idScope: '' }, { kind: 'tpm' }, 'target.idScope'],
    ['a bad registration id', { ...target, registrationId: 'a b' }, { kind: 'tpm' }, 'target.registrationId'],
    ['no attestation', target, undefined, 'attestation'],
    ['X.509 without a certificate', target, { kind: 'x509' }, 'attestation.certificate'],
    [
      'X.509 with a bad certificate',
      target,
      { kind: 'x509', certificate: { certificatePem: 'x', privateKeyPem: Secret.fromText('x') } },
      'attestation.certificate.certificatePem',
    ],
    [
      'X.509 with a bad key',
      target,
      { kind: 'x509', certificate: { certificatePem: ca, privateKeyPem: Secret.fromText('x') } },
      'attestation.certificate.privateKeyPem',
    ],
    [
      'X.509 with the key of another certificate',
      target,
      {
        kind: 'x509',
        certificate: {
          certificatePem: ca,
          privateKeyPem: Secret.fromText(createTestAuthority().issue().privateKeyPem),
        },
      },
      'attestation.certificate.privateKeyPem',
    ],
  ])('refuses %s', (_title, givenTarget, attestation, argument) => {
    const { openSession } = createHttpTransport();
    expect(() => openSession(givenTarget as never, attestation as never)).toThrowError(
      expect.objectContaining({ name: 'InvalidArgumentError', argument }),
    );
  });

  test('refuses an attestation that does not exist', () => {
    expect(() => createHttpTransport().openSession(target, { kind: 'password' } as never)).toThrowError(
      expect.objectContaining({
        code: 'ERR_UNSUPPORTED_CAPABILITY',
        required: 'password',
        available: ['tpm', 'symmetric-key', 'x509'],
      }),
    );
  });
});

describe('a request that cannot be meant', () => {
  const { signal } = new AbortController();
  const sasToken = Secret.fromText('SharedAccessSignature sr=x&sig=y&se=1');
  const keys = { endorsementKey: new Uint8Array(316), storageRootKey: new Uint8Array(284) };
  const certificate = (): { certificatePem: string; privateKeyPem: Secret } => {
    const { certificatePem, privateKeyPem } = createTestAuthority().issue();
    return { certificatePem, privateKeyPem: Secret.fromText(privateKeyPem) };
  };

  test('is refused before any connection is made', async () => {
    const transport = createHttpTransport();
    const tpm = transport.openSession(target, { kind: 'tpm' });
    const x509 = transport.openSession(target, { kind: 'x509', certificate: certificate() });
    const invalid = (argument: string): object => ({ code: 'ERR_INVALID_ARGUMENT', argument });
    const info = { registrationId: 'device-1' };
    await expect(
      tpm.getAuthenticationChallenge({ ...target, ...keys, idScope: '0ne2' }, { signal }),
    ).rejects.toMatchObject(invalid('request.idScope'));
    await expect(tpm.register({ registrationInfo: info }, { signal })).rejects.toMatchObject(
      invalid('request.sasToken'),
    );
    await expect(
      tpm.register({ sasToken, registrationInfo: { registrationId: 'device-2' } }, { signal }),
    ).rejects.toMatchObject(invalid('request.registrationInfo.registrationId'));
    await expect(
      tpm.queryOperationStatus({ registrationId: 'device-1', operationId: '5.op' }, { signal }),
    ).rejects.toMatchObject(invalid('request.sasToken'));
    await expect(
      tpm.queryOperationStatus({ sasToken, registrationId: 'device-1', operationId: '' }, { signal }),
    ).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await expect(tpm.register({ sasToken, registrationInfo: info }, {} as never)).rejects.toMatchObject(
      invalid('options.signal'),
    );
    await expect(x509.register({ sasToken, registrationInfo: info }, { signal })).rejects.toMatchObject(
      invalid('request.sasToken'),
    );
    await expect(x509.getAuthenticationChallenge({ ...target, ...keys }, { signal })).rejects.toMatchObject({
      code: 'ERR_LOCAL_STATE',
      state: 'x509',
    });
    await expect(
      tpm.register(
        { sasToken, registrationInfo: { ...info, payload: { big: 'x'.repeat(100_000) } } },
        { signal },
      ),
    ).rejects.toMatchObject({ code: 'ERR_LOCAL_UNENCODABLE' });
    await tpm.close();
    await x509.close();
  });

  test('also a token that no header can carry, without showing it', async () => {
    const dispatcher = { dispatch: () => true };
    const session = createHttpTransport({ dispatcher }).openSession(target, { kind: 'tpm' });
    const bad = Secret.fromText('SharedAccessSignature\r\nX-Smuggled: 1');
    const sending = session.register(
      { sasToken: bad, registrationInfo: { registrationId: 'device-1' } },
      { signal },
    );
    await expect(sending).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      argument: 'request.sasToken',
    });
    await expect(sending).rejects.not.toThrow('Smuggled');
    await session.close();
  });
});
