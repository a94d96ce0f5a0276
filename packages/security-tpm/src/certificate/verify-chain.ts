/**
 * Trust in an endorsement certificate, decided without the network: a path from the certificate over the given
 * intermediates to one of the given roots, every signature, date and CA flag along it, and the purpose of the leaf.
 */
import { X509Certificate } from 'node:crypto';
import { InvalidArgumentError } from '@endorse/interface';
import { EndorsementCertificateError } from '../errors.ts';

/** Extended key usage of an endorsement certificate: tcg-kp-EKCertificate (TCG EK Credential Profile, 3.2.16). */
export const endorsementKeyUsage = '2.23.133.8.1';

/** Certificates as PEM text (one or many), DER bytes, or parsed. */
export type CertificateInput = string | Uint8Array | X509Certificate;

/** Options of {@link verifyEndorsementCertificateChain}. */
export interface VerifyChainOptions {
  /** The endorsement certificate. */
  readonly certificate: X509Certificate | Uint8Array;
  /** The trusted roots of the TPM's makers; at least one. */
  readonly roots: readonly CertificateInput[];
  /** Certificates between them, in any order; default none. */
  readonly intermediates?: readonly CertificateInput[] | undefined;
  /** The time to check the dates at, milliseconds since 1970; default now. */
  readonly now?: number | undefined;
}

/** Longest path that is tried, leaf and root included; real ones have two to four. */
const maxChainLength = 8;
/** Most certificates that are looked at, so that a hostile bundle cannot keep us busy. */
const maxCertificates = 64;

/**
 * Verifies an endorsement certificate and returns its path, leaf first, root last.
 *
 * Revocation is not checked. Throws `ERR_TPM_CERTIFICATE_CHAIN` when no path ends in a root,
 * `ERR_TPM_CERTIFICATE_EXPIRED`, `ERR_TPM_CERTIFICATE_USAGE` for a leaf that is a CA or lacks the purpose
 * 2.23.133.8.1, `ERR_TPM_CERTIFICATE_MALFORMED` for unreadable ones, `ERR_INVALID_ARGUMENT` without roots.
 */
export function verifyEndorsementCertificateChain(options: VerifyChainOptions): readonly X509Certificate[] {
  const now = options.now ?? Date.now();
  const leaf =
    options.certificate instanceof X509Certificate
      ? options.certificate
      : parseCertificates([options.certificate])[0];
  const roots = parseCertificates(options.roots);
  const intermediates = parseCertificates(options.intermediates ?? []);
  if (leaf === undefined) throw new InvalidArgumentError('options.certificate', 'must be a certificate');
  if (roots.length === 0)
    throw new InvalidArgumentError('options.roots', 'must hold at least one certificate');
  if (roots.length + intermediates.length > maxCertificates) {
    throw new InvalidArgumentError(
      'options',
      `must hold at most ${maxCertificates} certificates`,
      'ERR_OUT_OF_RANGE',
    );
  }
  checkUsage(leaf);
  const inDate = (certificate: X509Certificate): boolean => isInDate(certificate, now);
  // A maker may have renewed an intermediate, so expired ones are left out before a path is looked for.
  const chain = inDate(leaf)
    ? findPath([leaf], intermediates.filter(inDate), roots.filter(inDate))
    : undefined;
  if (chain !== undefined) return Object.freeze(chain);
  const expired = findPath([leaf], intermediates, roots)?.find((certificate) => !inDate(certificate));
  if (expired !== undefined) {
    throw new EndorsementCertificateError(
      'ERR_TPM_CERTIFICATE_EXPIRED',
      `a certificate is valid from ${expired.validFrom} to ${expired.validTo} only`,
      { remedy: "Check the clock, or update the TPM maker's certificates." },
    );
  }
  throw new EndorsementCertificateError(
    'ERR_TPM_CERTIFICATE_CHAIN',
    'no path leads from the endorsement certificate to a trusted root',
    { remedy: "Add the TPM maker's root and intermediate certificates." },
  );
}

/** Reads certificates; throws `ERR_TPM_CERTIFICATE_MALFORMED`. */
export function parseCertificates(inputs: readonly CertificateInput[]): X509Certificate[] {
  return inputs.flatMap((input) => {
    if (input instanceof X509Certificate) return [input];
    const parts: readonly (string | Uint8Array)[] = typeof input === 'string' ? splitPem(input) : [input];
    return parts.map((part) => {
      try {
        return new X509Certificate(part);
      } catch (cause) {
        throw new EndorsementCertificateError(
          'ERR_TPM_CERTIFICATE_MALFORMED',
          'a certificate cannot be read',
          {
            cause,
          },
        );
      }
    });
  });
}

function splitPem(text: string): string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
  if (blocks === null) {
    throw new EndorsementCertificateError(
      'ERR_TPM_CERTIFICATE_MALFORMED',
      'the text holds no PEM certificate',
    );
  }
  return blocks;
}

function checkUsage(leaf: X509Certificate): void {
  if (leaf.ca) {
    throw new EndorsementCertificateError(
      'ERR_TPM_CERTIFICATE_USAGE',
      'the endorsement certificate is that of a certification authority',
    );
  }
  // `keyUsage` is Node's name for the extended key usage.
  if (!(leaf.keyUsage ?? []).includes(endorsementKeyUsage)) {
    throw new EndorsementCertificateError(
      'ERR_TPM_CERTIFICATE_USAGE',
      `the certificate is not for an endorsement key (extended key usage ${endorsementKeyUsage} is missing)`,
    );
  }
}

/** Depth first, each intermediate tried once: at most `maxCertificates` squared signatures, whatever is given. */
function findPath(
  path: readonly X509Certificate[],
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  tried: Set<X509Certificate> = new Set(),
): readonly X509Certificate[] | undefined {
  const last = path[path.length - 1];
  if (last === undefined || path.length >= maxChainLength) return undefined;
  const anchor = roots.find((root) => isIssuedBy(last, root));
  if (anchor !== undefined) return [...path, anchor];
  for (const issuer of intermediates) {
    if (tried.has(issuer) || !isIssuedBy(last, issuer)) continue;
    tried.add(issuer);
    const found = findPath([...path, issuer], intermediates, roots, tried);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // An algorithm OpenSSL does not know, or a key that is none: no link.
    return false;
  }
}

function isInDate(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now <= certificate.validToDate.getTime();
}
