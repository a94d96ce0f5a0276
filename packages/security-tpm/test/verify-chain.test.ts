/** Chains of certificates made with OpenSSL: see `support/certificates.ts`. */
import { X509Certificate } from 'node:crypto';
import { verifyEndorsementCertificateChain } from '@endorse/security-tpm';
import type { VerifyChainOptions } from '@endorse/security-tpm';
import { describe, expect, test } from 'vitest';
import * as pem from './support/certificates.ts';

const now = Date.UTC(2030, 0, 1);
const certificate = new X509Certificate(pem.leaf);
const subjects = (options: Partial<VerifyChainOptions>): string[] =>
  verifyEndorsementCertificateChain({
    certificate,
    roots: [pem.root],
    intermediates: [pem.issuer],
    now,
    ...options,
  }).map(({ subject }) => subject);

const codeOf = (options: Partial<VerifyChainOptions>): unknown => {
  try {
    subjects(options);
    return 'accepted';
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
};

describe('a chain that ends in a given root', () => {
  const expected = ['CN=TPM', 'CN=Maker issuer', 'CN=Maker root'];

  test.each<[string, Partial<VerifyChainOptions>]>([
    ['as PEM', {}],
    ['as DER', { certificate: Uint8Array.from(certificate.raw), roots: [new X509Certificate(pem.root).raw] }],
    ['parsed', { roots: [new X509Certificate(pem.root)], intermediates: [new X509Certificate(pem.issuer)] }],
    [
      'in one bundle, in any order, with strangers',
      { intermediates: [pem.notAuthority + pem.otherRoot + pem.issuer] },
    ],
    ['with an expired issuer beside the renewed one', { intermediates: [pem.expiredIssuer, pem.issuer] }],
    ['with a forged issuer of the same name beside it', { intermediates: [pem.forgedIssuer, pem.issuer] }],
    ['with a forged root of the same name beside it', { roots: [pem.forgedRoot, pem.root] }],
  ])('is accepted %s', (_, options) => {
    expect(subjects(options)).toEqual(expected);
  });

  test('may be as short as the root that issued the leaf', () => {
    expect(subjects({ roots: [pem.issuer], intermediates: [] })).toEqual(['CN=TPM', 'CN=Maker issuer']);
  });
});

test.each<[string, unknown, Partial<VerifyChainOptions>]>([
  ['another root', 'ERR_TPM_CERTIFICATE_CHAIN', { roots: [pem.otherRoot] }],
  ['no intermediate', 'ERR_TPM_CERTIFICATE_CHAIN', { intermediates: [] }],
  ['a forged root of the same name', 'ERR_TPM_CERTIFICATE_CHAIN', { roots: [pem.forgedRoot] }],
  ['a forged leaf', 'ERR_TPM_CERTIFICATE_CHAIN', { certificate: new X509Certificate(pem.forgedLeaf) }],
  [
    'a forged leaf that brings its own issuers',
    'ERR_TPM_CERTIFICATE_CHAIN',
    { certificate: new X509Certificate(pem.forgedLeaf), intermediates: [pem.forgedIssuer, pem.forgedRoot] },
  ],
  [
    'an issuer that is no authority',
    'ERR_TPM_CERTIFICATE_CHAIN',
    { certificate: new X509Certificate(pem.leafUnderNotAuthority), intermediates: [pem.notAuthority] },
  ],
  ['an expired leaf', 'ERR_TPM_CERTIFICATE_EXPIRED', { certificate: new X509Certificate(pem.expiredLeaf) }],
  ['an expired issuer', 'ERR_TPM_CERTIFICATE_EXPIRED', { intermediates: [pem.expiredIssuer] }],
  ['a clock before everything', 'ERR_TPM_CERTIFICATE_EXPIRED', { now: Date.UTC(2019, 0, 1) }],
  ['a clock after everything', 'ERR_TPM_CERTIFICATE_EXPIRED', { now: Date.UTC(2050, 0, 1) }],
  [
    'a leaf without usage',
    'ERR_TPM_CERTIFICATE_USAGE',
    { certificate: new X509Certificate(pem.leafWithoutUsage) },
  ],
  [
    'a leaf for web servers',
    'ERR_TPM_CERTIFICATE_USAGE',
    { certificate: new X509Certificate(pem.leafForServers) },
  ],
  [
    'a leaf that is an authority',
    'ERR_TPM_CERTIFICATE_USAGE',
    { certificate: new X509Certificate(pem.leafThatIsAuthority) },
  ],
  ['a leaf that is no certificate', 'ERR_TPM_CERTIFICATE_MALFORMED', { certificate: new Uint8Array(40) }],
  ['a root that is no PEM', 'ERR_TPM_CERTIFICATE_MALFORMED', { roots: ['-----BEGIN NOTHING-----'] }],
  [
    'a broken intermediate',
    'ERR_TPM_CERTIFICATE_MALFORMED',
    { intermediates: [pem.issuer.replace('MII', 'AAA')] },
  ],
  ['no roots', 'ERR_INVALID_ARGUMENT', { roots: [] }],
  ['too many certificates', 'ERR_OUT_OF_RANGE', { intermediates: [pem.issuer.repeat(64)] }],
])('%s is %s', (_, code, options) => {
  expect(codeOf(options)).toBe(code);
});
