// Oracle: OpenSSL, through node:crypto's X509Certificate.
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { createTestAuthority } from '@endorse/testkit';

test('the authority issues certificates that OpenSSL accepts', () => {
  const authority = createTestAuthority();
  const issuer = new X509Certificate(authority.certificatePem);
  const { certificatePem, privateKeyPem } = authority.issue({ names: ['localhost', '127.0.0.1'] });
  const leaf = new X509Certificate(certificatePem);
  expect(issuer.ca).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.verify(issuer.publicKey)).toBe(true);
  expect(leaf.checkIssued(issuer)).toBe(true);
  expect(leaf.checkHost('localhost')).toBe('localhost');
  expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(leaf.checkPrivateKey(createPrivateKey(privateKeyPem))).toBe(true);
  expect(leaf.subject).toBe('CN=localhost');
});

test('a certificate can be out of date', () => {
  const { certificatePem } = createTestAuthority().issue({ notBefore: 0, notAfter: 86_400_000 });
  expect(new X509Certificate(certificatePem).validToDate).toEqual(new Date(86_400_000));
});
