import type { KeyObject } from 'node:crypto';
import { createHash, createPublicKey, randomBytes, sign } from 'node:crypto';
import {
  der,
  derBitString,
  derExplicit,
  derInteger,
  derObjectIdentifier,
  derOctetString,
  derSequence,
  derSet,
  derTime,
  derTrue,
  derUtf8,
} from './der.ts';

/** A name by which a TLS server is addressed. */
export type ServerName =
  | { readonly kind: 'dns'; readonly name: string }
  /** 4 or 16 bytes. */
  | { readonly kind: 'address'; readonly bytes: Uint8Array };

/** What a certificate says; see {@link buildCertificate}. */
export interface CertificateRequest {
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** P-256 key of the subject; a private key stands for its public half. */
  readonly subjectKey: KeyObject;
  /** P-256 private key of the issuer. */
  readonly issuerKey: KeyObject;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  readonly role:
    | { readonly kind: 'authority' }
    | { readonly kind: 'server'; readonly names: readonly ServerName[] };
}

/** Common name and organization. */
export interface DistinguishedName {
  readonly commonName: string;
  readonly organization: string;
}

/** Builds and signs an X.509 v3 certificate (RFC 5280) with ECDSA and SHA-256; returns PEM. */
export function buildCertificate(request: CertificateRequest): string {
  const toBeSigned = derSequence(
    derExplicit(0, derInteger(Uint8Array.of(2))),
    derInteger(randomSerial()),
    ecdsaWithSha256,
    encodeName(request.issuer),
    derSequence(derTime(request.notBefore), derTime(request.notAfter)),
    encodeName(request.subject),
    exportPublicKey(request.subjectKey),
    derExplicit(3, derSequence(...extensions(request))),
  );
  const signature = sign('sha256', toBeSigned, request.issuerKey);
  return toPem(derSequence(toBeSigned, ecdsaWithSha256, derBitString(signature)));
}

const ecdsaWithSha256 = derSequence(derObjectIdentifier('1.2.840.10045.4.3.2'));

const oid = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

// 16 bytes with the top bits 01: positive, and never shortened by a leading zero.
function randomSerial(): Uint8Array {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

function encodeName(name: DistinguishedName): Uint8Array {
  const attribute = (type: string, value: string): Uint8Array =>
    derSet(derSequence(derObjectIdentifier(type), derUtf8(value)));
  return derSequence(
    attribute(oid.organization, name.organization),
    attribute(oid.commonName, name.commonName),
  );
}

function extensions(request: CertificateRequest): readonly Uint8Array[] {
  const identifiers = [
    extension(oid.subjectKeyIdentifier, derOctetString(keyIdentifier(request.subjectKey))),
    extension(oid.authorityKeyIdentifier, derSequence(der(0x80, keyIdentifier(request.issuerKey)))),
  ];
  if (request.role.kind === 'authority') {
    return [
      criticalExtension(oid.basicConstraints, derSequence(derTrue, derInteger(Uint8Array.of(0)))),
      // keyCertSign (bit 5) and cRLSign (bit 6).
      criticalExtension(oid.keyUsage, derBitString(Uint8Array.of(0x06), 1)),
      ...identifiers,
    ];
  }
  return [
    criticalExtension(oid.basicConstraints, derSequence()),
    // digitalSignature (bit 0): all that TLS 1.2 ECDHE and TLS 1.3 need.
    criticalExtension(oid.keyUsage, derBitString(Uint8Array.of(0x80), 7)),
    extension(oid.extendedKeyUsage, derSequence(derObjectIdentifier(oid.serverAuth))),
    extension(oid.subjectAltName, derSequence(...request.role.names.map(encodeServerName))),
    ...identifiers,
  ];
}

function extension(type: string, value: Uint8Array): Uint8Array {
  return derSequence(derObjectIdentifier(type), derOctetString(value));
}

function criticalExtension(type: string, value: Uint8Array): Uint8Array {
  return derSequence(derObjectIdentifier(type), derTrue, derOctetString(value));
}

function encodeServerName(name: ServerName): Uint8Array {
  return name.kind === 'dns' ? der(0x82, Buffer.from(name.name, 'ascii')) : der(0x87, name.bytes);
}

function exportPublicKey(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'der' });
}

// RFC 5280 4.2.1.2 leaves the method open; hashing the whole SPKI spares parsing it.
function keyIdentifier(key: KeyObject): Uint8Array {
  return createHash('sha256').update(exportPublicKey(key)).digest().subarray(0, 20);
}

function toPem(certificate: Uint8Array): string {
  const lines = Buffer.from(certificate).toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
