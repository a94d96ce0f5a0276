import type { KeyObject } from 'node:crypto';
import { generateKeyPairSync } from 'node:crypto';
import type { DistinguishedName, ServerName } from './certificate.ts';
import { buildCertificate } from './certificate.ts';

/** A certificate authority that signs the emulator's server certificates. */
export interface CertificateAuthority {
  /** PEM of the self-signed certificate. */
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
}

/** A server's certificate and key, as TLS takes them. */
export interface ServerCredentials {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** Subject of the authority. Nobody who meets it in a trust store should take it for a real one. */
export const authorityName: DistinguishedName = Object.freeze({
  commonName: 'FAKE CA of the Endorse emulator - for tests only',
  organization: 'Endorse emulator (not a real provisioning service)',
});

/** Makes a fresh authority with a P-256 key, valid for ten years from `now` (milliseconds since 1970). */
export function createAuthority(now: number): CertificateAuthority {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificatePem = buildCertificate({
    subject: authorityName,
    issuer: authorityName,
    subjectKey: privateKey,
    issuerKey: privateKey,
    notBefore: now - backdatingMs,
    notAfter: now + 3650 * dayMs,
    role: { kind: 'authority' },
  });
  return { certificatePem, privateKey };
}

/** Makes a P-256 server certificate for the given names, valid for 397 days, the longest that every client accepts. */
export function issueServerCertificate(
  authority: CertificateAuthority,
  names: readonly ServerName[],
  now: number,
): ServerCredentials {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificatePem = buildCertificate({
    subject: { commonName: 'Endorse emulator', organization: authorityName.organization },
    issuer: authorityName,
    subjectKey: privateKey,
    issuerKey: authority.privateKey,
    notBefore: now - backdatingMs,
    notAfter: now - backdatingMs + 397 * dayMs,
    role: { kind: 'server', names },
  });
  return { certificatePem, privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** Makes the same, but one that expired a day before `now`. */
export function issueExpiredServerCertificate(
  authority: CertificateAuthority,
  names: readonly ServerName[],
  now: number,
): ServerCredentials {
  return issueServerCertificate(authority, names, now + backdatingMs - 398 * dayMs);
}

const dayMs = 86_400_000;

// A client in a container or another machine may run a little behind us.
const backdatingMs = 3_600_000;
