import { X509Certificate, createHash } from 'node:crypto';
import { InvalidArgumentError } from '@endorse/interface';

/**
 * Brings the SHA-256 fingerprint of a certificate into the one form that is compared: 64 lower-case hex digits.
 *
 * Takes what browsers, `openssl x509 -fingerprint -sha256` and this package print: upper or lower case, with or
 * without colons, with or without `sha256:` or `SHA256 Fingerprint=` in front. Throws `ERR_INVALID_ARGUMENT` for
 * anything else.
 */
export function parseFingerprint(text: string, argument = 'fingerprint'): string {
  const digits =
    typeof text === 'string'
      ? text
          .trim()
          .replace(/^sha-?256( fingerprint)?[:=]\s*/i, '')
          .replaceAll(':', '')
          .toLowerCase()
      : '';
  if (/^[0-9a-f]{64}$/.test(digits)) return digits;
  throw new InvalidArgumentError(
    argument,
    'must be the SHA-256 fingerprint of a certificate (64 hex digits)',
  );
}

/** The fingerprint of a certificate, over its DER bytes: 64 lower-case hex digits. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

/** SHA-256 of the public key of a certificate (its SPKI in DER), as discovery announces it: 64 lower-case hex digits. */
export function publicKeyHashOf(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}

/** The fingerprint of the first certificate in PEM text. Throws `ERR_INVALID_ARGUMENT` when there is none. */
export function fingerprintOfPem(certificatePem: string, argument = 'certificatePem'): string {
  return fingerprintOf(parseCertificate(certificatePem, argument));
}

/** Reads the first certificate of PEM text. Throws `ERR_INVALID_ARGUMENT`. */
export function parseCertificate(certificatePem: string, argument: string): X509Certificate {
  try {
    return new X509Certificate(certificatePem);
  } catch {
    throw new InvalidArgumentError(argument, 'must be a PEM certificate');
  }
}
