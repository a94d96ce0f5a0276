import type { ClientCertificate } from './client-certificate.ts';
import { findValidityProblem, thumbprintOf } from './client-certificate.ts';

/** An enrolled certificate and whom it speaks for. */
export interface TrustAnchor<Owner> {
  readonly certificate: ClientCertificate;
  readonly owner: Owner;
}

/**
 * Finds the enrolled certificate that signed a device's, directly or through others that the device sent (RFC 5280
 * section 6, without policies and name constraints): the nearest one, and the first of those that are equally near.
 *
 * Every issuer has to be an authority, to be valid now and to allow the length of the path below it.
 * `sent` may be in any order and hold anything.
 */
export function findAnchor<Owner>(
  leaf: ClientCertificate,
  sent: readonly ClientCertificate[],
  anchors: readonly TrustAnchor<Owner>[],
  now: number,
): TrustAnchor<Owner> | undefined {
  let frontier: readonly ClientCertificate[] = [leaf];
  const seen = new Set([thumbprintOf(leaf)]);
  for (let depth = 0; depth < maxDepth && frontier.length > 0; depth += 1) {
    const subjects = frontier;
    const signs = (issuer: ClientCertificate): boolean =>
      mayIssue(issuer, depth, now) && subjects.some((subject) => isIssuedBy(subject, issuer));
    const anchor = anchors.find(({ certificate }) => signs(certificate));
    if (anchor !== undefined) return anchor;
    // The shortest path to a certificate comes first, and a longer one could only be worse.
    frontier = sent.filter((candidate) => !seen.has(thumbprintOf(candidate)) && signs(candidate));
    for (const each of frontier) seen.add(thumbprintOf(each));
  }
  return undefined;
}

/** Chains in the field have two to four certificates. */
const maxDepth = 8;

function mayIssue(issuer: ClientCertificate, depth: number, now: number): boolean {
  const { x509, pathLength = maxDepth } = issuer;
  return x509.ca && pathLength >= depth && findValidityProblem(issuer, now) === undefined;
}

function isIssuedBy({ x509: subject }: ClientCertificate, { x509: issuer }: ClientCertificate): boolean {
  if (subject.raw.equals(issuer.raw)) return false;
  try {
    // Names, key identifiers and the issuer's key usage; then the signature.
    return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
  } catch {
    // A kind of key that OpenSSL does not know.
    return false;
  }
}
