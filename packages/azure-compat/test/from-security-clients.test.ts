/** Security clients of the official SDK with a key or a certificate, behind our contracts. */
import { createPrivateKey } from 'node:crypto';
import {
  fromAzureSymmetricKeySecurityClient,
  fromAzureX509SecurityClient,
  originalOf,
} from '@endorse/azure-compat';
import type {
  AzureSymmetricKeySecurityClient,
  AzureX509,
  AzureX509SecurityClient,
} from '@endorse/azure-compat';
import { runSecurityClientCompliance } from '@endorse/compliance/security-client';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { createTestAuthority } from '@endorse/testkit';
import { SymmetricKeySecurityClient } from 'azure-iot-security-symmetric-key';
import { X509Security } from 'azure-iot-security-x509';
import { describe, expect, it } from 'vitest';
import { settle } from './support/callback-parts.ts';

const registrationId = 'key-device-1';
const key = Buffer.alloc(32, 'the key of the device');
const token = 'SharedAccessSignature sr=0ne1%2Fregistrations%2Fd&sig=' + 'A'.repeat(43) + '%3D&se=1700003600';
const authority = createTestAuthority();
const { certificatePem, privateKeyPem } = authority.issue({ commonName: 'x509-device-1' });

runSecurityClientCompliance('the official SymmetricKeySecurityClient', async () => ({
  kind: 'token-issuer',
  registrationId,
  key,
  securityClient: fromAzureSymmetricKeySecurityClient(
    new SymmetricKeySecurityClient(registrationId, key.toString('base64')),
  ),
  [Symbol.asyncDispose]: async () => undefined,
}));

runSecurityClientCompliance('the official X509Security', async () => ({
  kind: 'x509',
  registrationId: 'x509-device-1',
  securityClient: fromAzureX509SecurityClient(
    new X509Security('x509-device-1', { cert: certificatePem, key: privateKeyPem }),
  ),
  [Symbol.asyncDispose]: async () => undefined,
}));

type CreateToken = AzureSymmetricKeySecurityClient['createSharedAccessSignature'];

function issuing(createSharedAccessSignature: CreateToken): AzureSymmetricKeySecurityClient {
  return { getRegistrationId: async () => registrationId, createSharedAccessSignature };
}

describe('a client that makes tokens', () => {
  it.each<readonly [string, CreateToken]>([
    ['calls back', (_idScope, callback) => callback?.(null, token)],
    [
      'calls back twice, the second time with an error',
      (_idScope, callback) => {
        callback?.(null, token);
        callback?.(new Error('once more'));
      },
    ],
    ['returns a promise', async () => token],
    [
      'does both',
      async (_idScope, callback) => {
        callback?.(null, token);
        return token;
      },
    ],
    [
      'is async and calls back later',
      async (_idScope, callback) => {
        setImmediate(() => callback?.(null, token));
        return undefined;
      },
    ],
  ])('and %s is taken at its first word', async (_what, create) => {
    const issued = await fromAzureSymmetricKeySecurityClient(issuing(create)).issueSasToken('0ne1');
    expect(issued.sasToken.revealText()).toBe(token);
    expect(issued.expiresAt).toBe(1_700_003_600_000);
  });

  const fault = new Error('the agent is away');
  it.each<readonly [string, CreateToken]>([
    ['calls back with an error', (_idScope, callback) => callback?.(fault)],
    [
      'throws',
      () => {
        throw fault;
      },
    ],
    ['returns a promise that rejects', () => Promise.reject(fault)],
  ])('and %s fails with a typed error', async (_what, create) => {
    const ours = fromAzureSymmetricKeySecurityClient(issuing(create));
    const error: unknown = await ours.issueSasToken('0ne1').catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'ERR_KEY_AZURE_CLIENT',
      fault: 'caller',
      retryable: false,
      method: 'createSharedAccessSignature',
      message: 'createSharedAccessSignature: the agent is away',
      cause: fault,
    });
    expect(originalOf(error)).toBe(fault);
  });

  it.each([undefined, null, {}, 'SharedAccessSignature', token.replace('&se=1700003600', '')])(
    'and gives %s in place of a token fails, and does not show it',
    async (value) => {
      const ours = fromAzureSymmetricKeySecurityClient(
        issuing((_idScope, callback) => callback?.(null, value as never)),
      );
      await expect(ours.issueSasToken('0ne1')).rejects.toMatchObject({
        code: 'ERR_KEY_AZURE_CLIENT',
        message: 'createSharedAccessSignature: gave no SAS token',
      });
    },
  );

  it('and never calls back is given up after the limit', async () => {
    const clock = new VirtualClock();
    const silent = issuing(() => undefined);
    const ours = fromAzureSymmetricKeySecurityClient(silent, { callTimeoutMs: 5000, clock });
    const issuingToken = ours.issueSasToken('0ne1');
    issuingToken.catch(() => undefined);
    await settle();
    await clock.advance(5000);
    await expect(issuingToken).rejects.toMatchObject({ code: 'ERR_TIMEOUT', deadlineMs: 5000 });
  });

  it.each([{}, { getRegistrationId: () => 'x' }, undefined])(
    'without its methods is refused: %j',
    (client) => {
      expect(() => fromAzureSymmetricKeySecurityClient(client as never)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'securityClient' }),
      );
    },
  );
});

describe('a client that has a certificate', () => {
  const clientOf = (certificate: unknown): AzureX509SecurityClient => ({
    getRegistrationId: () => 'x509-device-1',
    getCertificate: (callback) => callback(null, certificate as AzureX509),
  });
  const plain = createPrivateKey(privateKeyPem).export({ type: 'pkcs8', format: 'pem' }).toString();
  const passphrase = 'of the key';
  const encrypted = createPrivateKey(privateKeyPem)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
    .toString();

  it.each([
    ['as text', { cert: certificatePem, key: privateKeyPem }],
    ['as bytes', { cert: Buffer.from(certificatePem), key: Buffer.from(privateKeyPem) }],
    ['with a passphrase', { cert: certificatePem, key: encrypted, passphrase }],
  ])('%s shows it with a plain key', async (_what, x509) => {
    const certificate = await fromAzureX509SecurityClient(clientOf(x509)).getCertificate();
    expect(certificate.certificatePem.trimEnd()).toBe(certificatePem.trimEnd());
    expect(certificate.privateKeyPem.revealText()).toBe(plain);
  });

  it('in pieces puts them in one PEM, in their order', async () => {
    const issuer = authority.certificatePem;
    const ours = fromAzureX509SecurityClient(
      clientOf({ cert: [certificatePem, issuer], key: privateKeyPem }),
    );
    const { certificatePem: chain } = await ours.getCertificate();
    expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(chain.indexOf(issuer.trim())).toBeGreaterThan(chain.indexOf(certificatePem.trim()));
  });

  it.each([
    ['nothing', undefined, 'must be an object with cert and key'],
    ['no certificate', { key: privateKeyPem }, 'has no cert'],
    ['no key', { cert: certificatePem }, 'has no key'],
    ['a key without its passphrase', { cert: certificatePem, key: encrypted }, 'needs a passphrase'],
    [
      'a key with another passphrase',
      { cert: certificatePem, key: encrypted, passphrase: 'another' },
      'of another passphrase',
    ],
    ['a key in an engine', { cert: certificatePem, clientCertEngine: 'pkcs11' }, 'OpenSSL engine'],
  ])('and gives %s fails with a typed error', async (_what, x509, problem) => {
    await expect(fromAzureX509SecurityClient(clientOf(x509)).getCertificate()).rejects.toMatchObject({
      code: 'ERR_X509_AZURE_CLIENT',
      method: 'getCertificate',
      message: expect.stringContaining(problem) as unknown,
    });
  });

  it('and throws instead of telling its registration id fails with a typed error', async () => {
    const fault = new Error('not set up');
    const ours = fromAzureX509SecurityClient({
      ...clientOf({}),
      getRegistrationId: () => {
        throw fault;
      },
    });
    await expect(ours.getRegistrationId()).rejects.toMatchObject({
      code: 'ERR_X509_AZURE_CLIENT',
      method: 'getRegistrationId',
      cause: fault,
    });
  });

  it('without its methods is refused', () => {
    expect(() => fromAzureX509SecurityClient({ getCertificate: () => undefined } as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'securityClient' }),
    );
  });
});
