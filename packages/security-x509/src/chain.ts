import { X509Certificate } from 'node:crypto';
import { X509IdentityError } from './errors.ts';
import { readPemBlocks } from './pem.ts';

/** Most certificates one identity may have: a leaf and its issuers. Bounds the work of putting them in order. */
export const maxCertificates = 16;

/** Parses every certificate of a PEM text. Throws `ERR_X509_NOT_PEM`, `ERR_X509_NO_CERTIFICATE` or `ERR_X509_CERTIFICATE_MALFORMED`. */
export function parseCertificates(pem: string, title: string): X509Certificate[] {
  const blocks = readPemBlocks(pem, title).filter(({ label }) => label === 'CERTIFICATE');
  if (blocks.length === 0) {
    throw new X509IdentityError('ERR_X509_NO_CERTIFICATE', `${title} holds no certificate`, {
      remedy: 'Give the PEM that has the -----BEGIN CERTIFICATE----- block of the device.',
    });
  }
  return blocks.map(({ text }) => parseCertificate(text, title));
}

/** Parses one certificate, PEM or DER. Throws `ERR_X509_CERTIFICATE_MALFORMED`. */
export function parseCertificate(encoded: string | Uint8Array, title: string): X509Certificate {
  try {
    return new X509Certificate(encoded);
  } catch (cause) {
    throw new X509IdentityError('ERR_X509_CERTIFICATE_MALFORMED', `${title} holds a damaged certificate`, {
      cause,
      remedy: 'Export the certificate again; `openssl x509 -noout -text` has to read it.',
    });
  }
}

/**
 * The leaf, then every issuer behind the certificate it issued, whatever order they came in.
 * Throws `ERR_X509_CHAIN` when a certificate is left that issued none of them, or when there are too many.
 */
export function orderChain(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
): readonly [X509Certificate, ...X509Certificate[]] {
  // Chain files often begin with the leaf again.
  const seen = new Set([leaf.fingerprint256]);
  let remaining = others.filter(({ fingerprint256 }) => {
    const isNew = !seen.has(fingerprint256);
    seen.add(fingerprint256);
    return isNew;
  });
  if (remaining.length >= maxCertificates) {
    throw chainError(`there are more than ${maxCertificates} certificates`);
  }
  const chain: [X509Certificate, ...X509Certificate[]] = [leaf];
  for (let last = leaf; remaining.length > 0;) {
    const issuer = remaining.find((candidate) => issued(candidate, last));
    if (issuer === undefined) {
      const left = remaining.map((certificate) => `"${describe(certificate)}"`).join(', ');
      throw chainError(
        `the issuer of "${describe(last)}" (${oneLine(last.issuer)}) is not there, so that ${left} has no place in the chain`,
      );
    }
    chain.push(issuer);
    remaining = remaining.filter((certificate) => certificate !== issuer);
    last = issuer;
  }
  return chain;
}

/** The subject of a certificate on one line, for messages. */
export function describe({ subject }: { readonly subject: string | undefined }): string {
  // Undefined when the subject is empty, whatever the declarations of Node.js say.
  return oneLine(subject ?? 'a certificate without a subject');
}

/** True when `issuer` has the right name and key, and its key made the signature. */
function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // A key or signature of a kind that OpenSSL does not know proves nothing.
    return false;
  }
}

function oneLine(name: string): string {
  return name.replaceAll('\n', ', ').slice(0, 200);
}

function chainError(message: string): X509IdentityError {
  return new X509IdentityError('ERR_X509_CHAIN', message, {
    remedy:
      'Give the leaf and each of its issuers up to the one the service knows, and no other certificate.',
  });
}
