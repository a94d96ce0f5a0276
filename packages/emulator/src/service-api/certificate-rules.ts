import type { AttestationMechanism, CertificatePair, EnrolledCertificate } from '@endorse/protocol';
import { describeCertificate, readCertificate, thumbprintOf } from '../certificate/client-certificate.ts';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';

/** The X.509 kind of an attestation. */
export type X509Attestation = Extract<AttestationMechanism, { readonly type: 'x509' }>;

/** Adds what can be read in the certificates; one that was left out on writing back stays what it was. */
export function completeCertificates(
  given: X509Attestation,
  existing: AttestationMechanism | undefined,
): X509Attestation {
  const former = existing?.type === 'x509' ? existing : undefined;
  const { clientCertificates: clients, signingCertificates: signing } = given;
  return {
    ...given,
    ...(clients === undefined
      ? {}
      : { clientCertificates: completePair(clients, former?.clientCertificates) }),
    ...(signing === undefined
      ? {}
      : { signingCertificates: completePair(signing, former?.signingCertificates) }),
  };
}

/** Why an individual enrollment cannot have these certificates. */
export function findClientCertificatesFault({
  clientCertificates,
}: X509Attestation): ServiceFault | undefined {
  if (clientCertificates === undefined) {
    return unusable('an individual enrollment takes client certificates, a group those that sign them');
  }
  return findPairFault(clientCertificates, false);
}

/** Why a group cannot have these certificates; `isUploaded` knows the names of CA certificates. */
export function findSigningCertificatesFault(
  { signingCertificates, caReferences }: X509Attestation,
  isUploaded: (name: string) => boolean,
): ServiceFault | undefined {
  if (signingCertificates !== undefined) return findPairFault(signingCertificates, true);
  if (caReferences === undefined) return unusable('a group takes signing certificates or CA references');
  const names = [caReferences.primary, caReferences.secondary].filter((name) => name !== undefined);
  if (names.length === 0) return unusable('a group needs at least one CA reference');
  const unknown = names.find((name) => !isUploaded(name));
  if (unknown === undefined) return undefined;
  return faults.invalidArgument('CA certificate not found', `no CA certificate ${unknown} was uploaded`);
}

/** The form of answers: what was read in certificates, not the certificates. */
export function withoutCertificates(attestation: X509Attestation): X509Attestation {
  const { clientCertificates: clients, signingCertificates: signing } = attestation;
  return {
    ...attestation,
    ...(clients === undefined ? {} : { clientCertificates: mapPair(clients, onlyInfo) }),
    ...(signing === undefined ? {} : { signingCertificates: mapPair(signing, onlyInfo) }),
  };
}

/** True when both name the same certificates. */
export function isSameCertificates(left: X509Attestation, right: X509Attestation): boolean {
  return JSON.stringify(identify(left)) === JSON.stringify(identify(right));
}

/** Why a certificate cannot sign devices; undefined when it can. */
export function findAuthorityProblem(certificate: string): string | undefined {
  const read = readCertificate(certificate);
  if (read === undefined) return 'is neither PEM nor base64 of DER';
  return read.x509.ca ? undefined : 'is not that of a CA';
}

function findPairFault(pair: CertificatePair, isAuthority: boolean): ServiceFault | undefined {
  const { primary, secondary } = pair;
  if (primary === undefined && secondary === undefined) return unusable('there is no certificate');
  for (const [slot, enrolled] of Object.entries({ primary, secondary })) {
    if (enrolled === undefined) continue;
    const { certificate, info } = enrolled;
    if (certificate === undefined) return unusable(`the ${slot} certificate is missing`);
    if (info === undefined) return unusable(`the ${slot} certificate is neither PEM nor base64 of DER`);
    if (isAuthority && findAuthorityProblem(certificate) !== undefined)
      return unusable(`the ${slot} certificate is not that of a CA`);
  }
  return undefined;
}

function completePair(given: CertificatePair, former: CertificatePair | undefined): CertificatePair {
  return mapPair(given, (enrolled, slot) => {
    const text = enrolled.certificate ?? former?.[slot]?.certificate;
    const read = readCertificate(text ?? '');
    return {
      ...(text === undefined ? {} : { certificate: text }),
      ...(read === undefined ? {} : { info: describeCertificate(read) }),
    };
  });
}

function mapPair(
  { primary, secondary }: CertificatePair,
  change: (enrolled: EnrolledCertificate, slot: 'primary' | 'secondary') => EnrolledCertificate,
): CertificatePair {
  return {
    ...(primary === undefined ? {} : { primary: change(primary, 'primary') }),
    ...(secondary === undefined ? {} : { secondary: change(secondary, 'secondary') }),
  };
}

function onlyInfo({ info }: EnrolledCertificate): EnrolledCertificate {
  return info === undefined ? {} : { info };
}

function identify({ clientCertificates, signingCertificates, caReferences }: X509Attestation): unknown {
  const names = (pair: CertificatePair | undefined): unknown =>
    [pair?.primary, pair?.secondary].map((enrolled) => {
      const read = readCertificate(enrolled?.certificate ?? '');
      return read === undefined ? null : thumbprintOf(read);
    });
  const references = [caReferences?.primary ?? null, caReferences?.secondary ?? null];
  return [names(clientCertificates), names(signingCertificates), references];
}

function unusable(reason: string): ServiceFault {
  return faults.invalidArgument('Invalid certificate.', reason);
}
