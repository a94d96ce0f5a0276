/** Certificates for TLS tests: an authority that signs servers and clients, also wrong ones. RFC 5280, P-256 with SHA-256. */
import type { KeyObject } from 'node:crypto';
import { createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate and its key, PEM. */
export interface TestCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** What a test certificate says. */
export interface TestCertificateOptions {
  /** Common name; default the first of `names`, else `test`. */
  readonly commonName?: string;
  /** Host names and IPv4 addresses of a server; default none. */
  readonly names?: readonly string[];
  /** Milliseconds since 1970; default an hour ago. */
  readonly notBefore?: number;
  /** Milliseconds since 1970; default in a day. */
  readonly notAfter?: number;
}

/** A certificate authority that lives as long as the test. */
export interface TestAuthority {
  /** Its own certificate, to be trusted. */
  readonly certificatePem: string;
  /** Signs a certificate that serves for servers and clients. */
  issue(options?: TestCertificateOptions): TestCertificate;
}

/** Makes a fresh authority. Its name is unique: OpenSSL finds an issuer by name, so that two of a name hide each other. */
export function createTestAuthority(): TestAuthority {
  const commonName = `Endorse test authority ${randomBytes(4).toString('hex')}`;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authority = { commonName, key: privateKey };
  return Object.freeze({
    certificatePem: build(authority, authority, { isAuthority: true }),
    issue: (options: TestCertificateOptions = {}) => {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const subject = {
        commonName: options.commonName ?? options.names?.[0] ?? 'test',
        key: pair.privateKey,
      };
      return Object.freeze({
        certificatePem: build(subject, authority, { ...options, isAuthority: false }),
        privateKeyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      });
    },
  });
}

interface Party {
  readonly commonName: string;
  readonly key: KeyObject;
}

function build(
  subject: Party,
  issuer: Party,
  options: TestCertificateOptions & { readonly isAuthority: boolean },
): string {
  const { isAuthority, names = [], notBefore = Date.now() - 3_600_000 } = options;
  const notAfter = options.notAfter ?? Date.now() + 86_400_000;
  const toBeSigned = sequence(
    element(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(0x40), randomBytes(15)])),
    ecdsaWithSha256,
    name(issuer.commonName),
    sequence(time(notBefore), time(notAfter)),
    name(subject.commonName),
    createPublicKey(subject.key).export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(...extensions(isAuthority, names))),
  );
  const signature = sign('sha256', toBeSigned, issuer.key);
  const certificate = sequence(toBeSigned, ecdsaWithSha256, element(0x03, Buffer.of(0), signature));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function extensions(isAuthority: boolean, names: readonly string[]): Buffer[] {
  const basicConstraints = extension(
    '551d13',
    sequence(...(isAuthority ? [element(0x01, Buffer.of(0xff))] : [])),
  );
  if (isAuthority) return [basicConstraints];
  // serverAuth and clientAuth.
  const usage = sequence(identifier('2b06010505070301'), identifier('2b06010505070302'));
  const alternatives = names.map((entry) =>
    isIP(entry) === 4
      ? element(0x87, Buffer.from(entry.split('.').map(Number)))
      : element(0x82, Buffer.from(entry, 'latin1')),
  );
  return [
    basicConstraints,
    extension('551d25', usage),
    ...(alternatives.length === 0 ? [] : [extension('551d11', sequence(...alternatives))]),
  ];
}

function extension(identifierHex: string, value: Buffer): Buffer {
  return sequence(identifier(identifierHex), element(0x04, value));
}

function name(commonName: string): Buffer {
  const attribute = sequence(identifier('550403'), element(0x0c, Buffer.from(commonName, 'utf8')));
  return sequence(element(0x31, attribute));
}

function time(at: number): Buffer {
  // GeneralizedTime for every year; clients accept it although RFC 5280 prefers UTCTime before 2050.
  const text = new Date(at).toISOString().replaceAll(/[-:T]|\.\d{3}/g, '');
  return element(0x18, Buffer.from(text, 'latin1'));
}

function integer(bytes: Buffer): Buffer {
  return element(0x02, bytes);
}

function identifier(hex: string): Buffer {
  return element(0x06, Buffer.from(hex, 'hex'));
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(0x30, ...parts);
}

function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'));
