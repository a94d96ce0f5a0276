/** Certificates of our own builder, read by `node:crypto` (OpenSSL's parser), which is not ours. */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { authorityName, createAuthority, issueServerCertificate } from '../src/certificate/authority.ts';
import { buildCertificate } from '../src/certificate/certificate.ts';
import { derInteger, derObjectIdentifier, derOctetString, derTime } from '../src/certificate/der.ts';
import { toServerNames } from '../src/certificate/server-names.ts';

const now = Date.UTC(2026, 0, 2, 3, 4, 5);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('the authority is a CA that nobody can take for a real one', () => {
  const ca = new X509Certificate(createAuthority(now).certificatePem);
  expect(ca.ca).toBe(true);
  expect(ca.subject).toContain('FAKE CA');
  expect(ca.issuer).toBe(ca.subject);
  expect(ca.verify(ca.publicKey)).toBe(true);
  expect(ca.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
  expect(ca.validFromDate.getTime()).toBe(now - 3_600_000);
  expect(ca.validToDate.getTime()).toBe(now + 3650 * 86_400_000);
});

test('a server certificate is issued by the authority, for every name and no other', () => {
  const authority = createAuthority(now);
  const names = toServerNames([
    'global.azure-devices-provisioning.net',
    'FE80::1',
    '[::ffff:1.2.3.4]',
    'localhost',
    '*.lab',
  ]);
  const { certificatePem, privateKeyPem } = issueServerCertificate(authority, names, now);
  const leaf = new X509Certificate(certificatePem);
  const ca = new X509Certificate(authority.certificatePem);
  expect(leaf.ca).toBe(false);
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(leaf.subjectAltName?.split(', ')).toEqual([
    'DNS:localhost',
    'IP Address:127.0.0.1',
    'IP Address:0:0:0:0:0:0:0:1',
    'DNS:global.azure-devices-provisioning.net',
    'IP Address:FE80:0:0:0:0:0:0:1',
    'IP Address:0:0:0:0:0:FFFF:102:304',
    'DNS:*.lab',
  ]);
  expect(leaf.checkHost('localhost')).toBe('localhost');
  expect(leaf.checkHost('my.azure-devices-provisioning.net')).toBeUndefined();
  expect(privateKeyPem).toContain('BEGIN PRIVATE KEY');
  const days = (leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / 86_400_000;
  expect(days).toBe(397);
});

test('serial numbers and keys differ from certificate to certificate', () => {
  const serials = [createAuthority(now), createAuthority(now)].map(
    ({ certificatePem }) => new X509Certificate(certificatePem).serialNumber,
  );
  expect(serials[0]).not.toBe(serials[1]);
  expect(serials[0]).toMatch(/^[4-7][0-9A-F]{31}$/);
});

test('a certificate beyond 2049 is dated as RFC 5280 wants', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = { commonName: 'x', organization: 'ü' };
  const pem = buildCertificate({
    subject: name,
    issuer: name,
    subjectKey: privateKey,
    issuerKey: privateKey,
    notBefore: Date.UTC(2049, 11, 31, 23, 59, 59),
    notAfter: Date.UTC(2050, 0, 1),
    role: { kind: 'authority' },
  });
  const certificate = new X509Certificate(pem);
  expect(certificate.validFromDate.toISOString()).toBe('2049-12-31T23:59:59.000Z');
  expect(certificate.validToDate.toISOString()).toBe('2050-01-01T00:00:00.000Z');
  expect(certificate.subject).toContain('O=ü');
});

test.each([
  // Examples of X.690 8.19.5 and of Microsoft's and Let's Encrypt's introductions to DER.
  [derObjectIdentifier('2.999.3'), '0603883703'],
  [derObjectIdentifier('1.2.840.113549'), '06062a864886f70d'],
  [derInteger(Uint8Array.of(0)), '020100'],
  [derInteger(Uint8Array.of(0, 0, 127)), '02017f'],
  [derInteger(Uint8Array.of(128)), '02020080'],
  [derTime(Date.UTC(2019, 11, 15, 19, 2, 10)), '170d3139313231353139303231305a'],
])('%# is encoded as published', (bytes, expected) => {
  expect(hex(bytes)).toBe(expected);
});

test.each([0, 127, 128, 255, 256, 65_536])('a value of %i bytes has a minimal length', (byteLength) => {
  const lengths: Record<number, string> = {
    0: '00',
    127: '7f',
    128: '8180',
    255: '81ff',
    256: '820100',
    65_536: '83010000',
  };
  const encoded = hex(derOctetString(new Uint8Array(byteLength)));
  expect(encoded.startsWith(`04${lengths[byteLength]}`)).toBe(true);
  expect(encoded).toHaveLength(2 + (lengths[byteLength]?.length ?? 0) + 2 * byteLength);
});

test.each([
  'https://localhost',
  'localhost:443',
  '',
  'a b',
  'fe80::1%eth0',
  '1.2.3',
  '-x',
  `${'a'.repeat(64)}.b`,
  'ä.test',
])('%j is no name for a certificate', (name) => {
  expect(() => toServerNames([name])).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
});

test('the authority goes by one name', () => {
  expect(authorityName.organization).toContain('not a real provisioning service');
});
