/** Oracles: certificates and keys that OpenSSL made (`vectors/openssl.ts`); OpenSSL in Node.js reads what comes out. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { inspect } from 'node:util';
import { Secret } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import type { X509SecurityClientOptions } from '@endorse/security-x509';
import { createX509SecurityClient, maxCertificates } from '@endorse/security-x509';
import { createTestAuthority } from '@endorse/testkit';
import { describe, expect, test } from 'vitest';
import { expectTyped, rejected, thrown } from './support/outcome.ts';
import {
  ecKeyPem,
  ecPem,
  ecTraditionalKeyPem,
  impostorRootPem,
  issuerPem,
  recordedPassphrase,
  rootPem,
  rsaEncryptedKeyPem,
  rsaKeyPem,
  rsaPem,
  rsaTraditionalEncryptedKeyPem,
} from './vectors/openssl.ts';

const authority = createTestAuthority();
const passphrase = Secret.fromText(recordedPassphrase);
const recorded = (other: Partial<X509SecurityClientOptions> = {}): X509SecurityClientOptions => ({
  certificatePem: ecPem,
  privateKeyPem: ecKeyPem,
  ...other,
});
const refusal = (options: X509SecurityClientOptions): unknown =>
  thrown(() => createX509SecurityClient(options));

function subjects(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n/g) ?? [];
  expect(blocks.join('')).toBe(pem);
  return blocks.map((block) => new X509Certificate(block).subject.replace('CN=', ''));
}

describe('a certificate and its key', () => {
  test.each<readonly [string, string, X509SecurityClientOptions]>([
    ['P-256', 'ec-device-1', recorded()],
    ['P-256 in the older form', 'ec-device-1', recorded({ privateKeyPem: ecTraditionalKeyPem })],
    ['RSA', 'rsa-device-1', { certificatePem: rsaPem, privateKeyPem: rsaKeyPem }],
    [
      'RSA, encrypted',
      'rsa-device-1',
      { certificatePem: rsaPem, privateKeyPem: rsaEncryptedKeyPem, passphrase },
    ],
    [
      'RSA, encrypted in the older form',
      'rsa-device-1',
      { certificatePem: rsaPem, privateKeyPem: rsaTraditionalEncryptedKeyPem, passphrase },
    ],
    ['a key as Secret', 'ec-device-1', recorded({ privateKeyPem: Secret.fromText(ecKeyPem) })],
    ['a key that needs no passphrase', 'ec-device-1', recorded({ passphrase })],
    ['the id that is expected', 'ec-device-1', recorded({ registrationId: 'ec-device-1' })],
    ['key and certificate in one text', 'ec-device-1', recorded({ certificatePem: ecKeyPem + ecPem })],
    [
      'text around the blocks and CRLF',
      'ec-device-1',
      recorded({ certificatePem: `Bag Attributes\r\n${ecPem.replaceAll('\n', '\r\n')}trailer` }),
    ],
  ])('are an identity: %s', async (_title, registrationId, options) => {
    await using client = createX509SecurityClient(options);
    expect(await client.getRegistrationId()).toBe(registrationId);
    const { certificatePem, privateKeyPem } = await client.getCertificate();
    expect(subjects(certificatePem)).toEqual([registrationId]);
    expect(privateKeyPem.revealText()).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    const key = createPrivateKey(privateKeyPem.revealText());
    expect(new X509Certificate(certificatePem).checkPrivateKey(key)).toBe(true);
  });
});

describe('the chain', () => {
  test.each<readonly [string, string, string | undefined]>([
    ['in order, in one text', ecPem + issuerPem + rootPem, undefined],
    ['in order, apart', ecPem, issuerPem + rootPem],
    ['turned round', rootPem + issuerPem + ecPem, undefined],
    ['turned round behind the leaf', ecPem, rootPem + issuerPem],
    ['with the leaf again', ecPem, ecPem + issuerPem + rootPem],
    ['with everything twice', ecPem + issuerPem + rootPem, rootPem + issuerPem + ecPem],
  ])('is put in order: %s', async (_title, certificatePem, chainPem) => {
    await using client = createX509SecurityClient(recorded({ certificatePem, chainPem }));
    expect(subjects((await client.getCertificate()).certificatePem)).toEqual([
      'ec-device-1',
      'Recorded issuer',
      'Recorded root',
    ]);
  });

  test('need not go up to the root', async () => {
    await using client = createX509SecurityClient(recorded({ chainPem: issuerPem }));
    expect(subjects((await client.getCertificate()).certificatePem)).toEqual([
      'ec-device-1',
      'Recorded issuer',
    ]);
  });

  test('with a gap is refused, naming who is missing', () => {
    const error = expectTyped(refusal(recorded({ chainPem: rootPem })), 'ERR_X509_CHAIN');
    expect(error.message).toContain('Recorded issuer');
  });

  test('with a stranger is refused', () => {
    expectTyped(refusal(recorded({ chainPem: issuerPem + rsaPem })), 'ERR_X509_CHAIN');
    expectTyped(refusal(recorded({ chainPem: authority.certificatePem })), 'ERR_X509_CHAIN');
  });

  test('with an issuer of the right name and key identifier, but another key, is refused', () => {
    expectTyped(refusal(recorded({ chainPem: issuerPem + impostorRootPem })), 'ERR_X509_CHAIN');
  });

  test('of too many certificates is refused', () => {
    const many = Array.from({ length: maxCertificates }, () => authority.issue().certificatePem).join('');
    expect(expectTyped(refusal(recorded({ chainPem: many })), 'ERR_X509_CHAIN').message).toContain(
      'more than 16',
    );
  });
});

describe('what cannot be used is refused', () => {
  const damaged = (pem: string): string => pem.replace(/^(.*\n.{40})./, '$1*');

  test.each<readonly [string, Partial<X509SecurityClientOptions>, string]>([
    ['a certificate that is no PEM', { certificatePem: 'certificate' }, 'ERR_X509_NOT_PEM'],
    ['an empty certificate', { certificatePem: '' }, 'ERR_X509_NOT_PEM'],
    ['a certificate without end', { certificatePem: ecPem.slice(0, -10) }, 'ERR_X509_NOT_PEM'],
    ['a marker without end', { certificatePem: '-----BEGIN CERTIFICATE' }, 'ERR_X509_NOT_PEM'],
    ['a key for a certificate', { certificatePem: ecKeyPem }, 'ERR_X509_NO_CERTIFICATE'],
    ['a damaged certificate', { certificatePem: damaged(ecPem) }, 'ERR_X509_CERTIFICATE_MALFORMED'],
    ['a damaged issuer', { chainPem: damaged(issuerPem) }, 'ERR_X509_CERTIFICATE_MALFORMED'],
    ['a chain that is no PEM', { chainPem: 'chain' }, 'ERR_X509_NOT_PEM'],
    ['a key that is no PEM', { privateKeyPem: 'key' }, 'ERR_X509_NOT_PEM'],
    ['a certificate for a key', { privateKeyPem: ecPem }, 'ERR_X509_NO_PRIVATE_KEY'],
    ['a damaged key', { privateKeyPem: damaged(ecKeyPem) }, 'ERR_X509_PRIVATE_KEY_MALFORMED'],
    ['two keys', { privateKeyPem: ecKeyPem + rsaKeyPem }, 'ERR_X509_PRIVATE_KEY_MALFORMED'],
    ['an encrypted key alone', { privateKeyPem: rsaEncryptedKeyPem }, 'ERR_X509_PASSPHRASE_REQUIRED'],
    [
      'an encrypted key of the older form alone',
      { privateKeyPem: rsaTraditionalEncryptedKeyPem },
      'ERR_X509_PASSPHRASE_REQUIRED',
    ],
    [
      'a wrong passphrase',
      { privateKeyPem: rsaEncryptedKeyPem, passphrase: Secret.fromText('wrong') },
      'ERR_X509_PASSPHRASE_WRONG',
    ],
    ['the key of another device', { privateKeyPem: rsaKeyPem }, 'ERR_X509_KEY_MISMATCH'],
    ['another registration id', { registrationId: 'ec-device-2' }, 'ERR_X509_REGISTRATION_ID'],
  ])('%s', (_title, other, code) => {
    expectTyped(refusal(recorded(other)), code);
  });

  test.each([
    ['no common name', ''],
    ['a slash', 'a/b'],
    ['a line that looks like another name', 'evil\nCN=device'],
    ['65 characters', 'a'.repeat(65)],
    ['a dot at its end', 'device.'],
  ])('a common name that is no registration id: %s', (_title, commonName) => {
    expectTyped(refusal(authority.issue({ commonName })), 'ERR_X509_COMMON_NAME');
  });

  test('but a common name of 64 characters is accepted', async () => {
    const commonName = 'a'.repeat(64);
    await using client = createX509SecurityClient(authority.issue({ commonName }));
    expect(await client.getRegistrationId()).toBe(commonName);
  });

  test.each<readonly [string, unknown, string, string]>([
    ['no options', undefined, 'options', 'ERR_INVALID_ARGUMENT'],
    ['null', null, 'options', 'ERR_INVALID_ARGUMENT'],
    ['no certificate', { privateKeyPem: ecKeyPem }, 'options.certificatePem', 'ERR_INVALID_ARGUMENT'],
    ['no key', { certificatePem: ecPem }, 'options.privateKeyPem', 'ERR_INVALID_ARGUMENT'],
    [
      'bytes',
      { ...recorded(), privateKeyPem: Buffer.from(ecKeyPem) },
      'options.privateKeyPem',
      'ERR_INVALID_ARGUMENT',
    ],
    ['a chain that is no text', { ...recorded(), chainPem: 7 }, 'options.chainPem', 'ERR_INVALID_ARGUMENT'],
    [
      'a passphrase as text',
      { ...recorded(), passphrase: 'x' },
      'options.passphrase',
      'ERR_INVALID_ARGUMENT',
    ],
    ['a bad id', { ...recorded(), registrationId: 'a b' }, 'options.registrationId', 'ERR_INVALID_ARGUMENT'],
    ['a clock that is none', { ...recorded(), clock: {} }, 'options.clock', 'ERR_INVALID_ARGUMENT'],
    [
      '2 MiB',
      { ...recorded(), certificatePem: 'x'.repeat(2 ** 21) },
      'options.certificatePem',
      'ERR_OUT_OF_RANGE',
    ],
  ])('options with %s', (_title, options, argument, code) => {
    expect(refusal(options as never)).toMatchObject({ code, argument });
  });
});

describe('the dates', () => {
  const notBefore = Date.UTC(2030, 0, 1);
  const notAfter = Date.UTC(2030, 11, 31);
  const at = (now: number): X509SecurityClientOptions => ({
    ...authority.issue({ commonName: 'device', notBefore, notAfter }),
    clock: { now: () => now },
  });

  test.each([
    ['a second early', notBefore - 1_000, 'ERR_X509_NOT_YET_VALID'],
    ['at the beginning of time', 0, 'ERR_X509_NOT_YET_VALID'],
    ['a second late', notAfter + 1_000, 'ERR_X509_EXPIRED'],
  ])('are checked: %s', (_title, now, code) => {
    expectTyped(refusal(at(now)), code);
  });

  test.each([notBefore, notAfter])('are inclusive: %i', async (now) => {
    await using client = createX509SecurityClient(at(now));
    expect(await client.getRegistrationId()).toBe('device');
  });

  test('of an issuer count too', () => {
    const { certificatePem, privateKeyPem } = authority.issue({ notBefore: 0, notAfter });
    const clock = { now: () => Date.UTC(2001, 0, 1) };
    const options = { certificatePem, privateKeyPem, chainPem: authority.certificatePem, clock };
    const error = expectTyped(refusal(options), 'ERR_X509_NOT_YET_VALID');
    expect(error.message).toContain('Endorse test authority');
  });

  test('are checked again when the certificate is used', async () => {
    const clock = new VirtualClock(notAfter - 1_000);
    await using client = createX509SecurityClient({ ...at(0), clock });
    await client.getCertificate();
    await clock.advance(2_000);
    expectTyped(await rejected(client.getCertificate()), 'ERR_X509_EXPIRED');
  });
});

describe('the private key', () => {
  test('is overwritten by close(), also where it was given out', async () => {
    const client = createX509SecurityClient(recorded());
    const { privateKeyPem } = await client.getCertificate();
    await client.close();
    expect(thrown(() => privateKeyPem.reveal())).toMatchObject({ code: 'ERR_LOCAL_STATE' });
  });

  test('given as Secret stays its owner’s', async () => {
    const privateKeyPem = Secret.fromText(ecKeyPem);
    const client = createX509SecurityClient(recorded({ privateKeyPem }));
    privateKeyPem.dispose();
    expect((await client.getCertificate()).privateKeyPem.byteLength).toBeGreaterThan(100);
    const another = Secret.fromText(ecKeyPem);
    await createX509SecurityClient(recorded({ privateKeyPem: another })).close();
    expect(another.revealText()).toBe(ecKeyPem);
  });

  test('is in nothing that a logger could print', async () => {
    await using client = createX509SecurityClient(recorded());
    const certificate = await client.getCertificate();
    const printed =
      inspect([client, certificate], { depth: 9, showHidden: true }) + JSON.stringify([client, certificate]);
    expect(printed).not.toContain('PRIVATE KEY');
  });
});
