import { createHash, X509Certificate } from 'node:crypto';
import type { JsonObject } from '@endorse/interface';
import { formatTimestamp } from '@endorse/protocol';
import { readCertificateFields } from './der-reader.ts';

/** A certificate somebody else made, with what decides over it. */
export interface ClientCertificate {
  readonly x509: X509Certificate;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  /** Version as people count it, 1 to 3. */
  readonly version: number;
  /** How many certificates of authorities may stand between this one and the last of a chain; absent for any number. */
  readonly pathLength?: number;
}

/** Reads PEM, base64 of DER, or DER; undefined for anything else. Of several certificates in PEM, the first. */
export function readCertificate(certificate: string | Uint8Array): ClientCertificate | undefined {
  try {
    const x509 = new X509Certificate(toPemOrDer(certificate));
    const { validFromDate, validToDate } = x509;
    const fields = readCertificateFields(x509.raw);
    return { x509, notBefore: validFromDate.getTime(), notAfter: validToDate.getTime(), ...fields };
  } catch {
    return undefined;
  }
}

/** The certificate as it is signed, for keeping; {@link readCertificate} takes it back. */
export function derOf({ x509 }: ClientCertificate): Uint8Array {
  return Uint8Array.from(x509.raw);
}

/** Fingerprint over the whole DER, in upper-case hexadecimal without colons, as the service writes it. */
export function thumbprintOf({ x509 }: ClientCertificate): string {
  return x509.fingerprint256.replaceAll(':', '');
}

/** The same of DER that need not be read. */
export function fingerprintOf(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('hex').toUpperCase();
}

/** The one common name of the subject; undefined when there is none, or more than one. */
export function commonNameOf({ x509 }: ClientCertificate): string | undefined {
  // One attribute a line; a line break inside a value comes escaped.
  const names = x509.subject.split('\n').filter((line) => line.startsWith('CN='));
  return names.length === 1 ? names[0]?.slice(3) : undefined;
}

/** Why a certificate is not valid at a time; undefined when it is. */
export function findValidityProblem(
  { notBefore, notAfter }: ClientCertificate,
  now: number,
): string | undefined {
  const at = new Date(now).toISOString();
  if (now < notBefore) return `is valid only from ${new Date(notBefore).toISOString()}, and it is ${at}`;
  return now > notAfter ? `expired at ${new Date(notAfter).toISOString()}, and it is ${at}` : undefined;
}

/** What the service tells about a certificate (`X509CertificateInfo` of the schema). */
export function describeCertificate(certificate: ClientCertificate): JsonObject {
  const { x509, notBefore, notAfter, version } = certificate;
  return {
    subjectName: x509.subject.split('\n').join(', '),
    sha1Thumbprint: x509.fingerprint.replaceAll(':', ''),
    sha256Thumbprint: thumbprintOf(certificate),
    issuerName: x509.issuer.split('\n').join(', '),
    notBeforeUtc: formatTimestamp(notBefore),
    notAfterUtc: formatTimestamp(notAfter),
    serialNumber: x509.serialNumber,
    version,
  };
}

function toPemOrDer(certificate: string | Uint8Array): string | Uint8Array {
  if (typeof certificate !== 'string' || certificate.includes('-----BEGIN')) return certificate;
  return Buffer.from(certificate, 'base64');
}
