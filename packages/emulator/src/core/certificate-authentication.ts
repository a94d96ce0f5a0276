/**
 * Who a device with a client certificate is. An individual enrollment names the certificate itself; a group names one
 * that signed it. Of several groups, the one whose certificate is nearest to the device's counts.
 */
import { timingSafeEqual } from 'node:crypto';
import type { TrustAnchor } from '../certificate/chain.ts';
import { findAnchor } from '../certificate/chain.ts';
import type { ClientCertificate } from '../certificate/client-certificate.ts';
import {
  commonNameOf,
  derOf,
  findValidityProblem,
  readCertificate,
  thumbprintOf,
} from '../certificate/client-certificate.ts';
import type { AuthenticatedDevice, AuthenticationParts } from './authenticated-device.ts';
import { nameMember } from './authenticated-device.ts';
import { faults } from './fault.ts';
import type { FaultResponse } from './refusal.ts';
import { refuse } from './refusal.ts';
import type { EmulatorStore, EnrollmentGroupRecord, EnrollmentRecord } from './store.ts';

/** What may speak for a device: its own enrollment, or else the groups. */
export interface Enrolled {
  readonly registrationId: string;
  readonly enrollment: EnrollmentRecord | undefined;
  readonly groups: readonly EnrollmentGroupRecord[];
}

/** Checks the certificates of a TLS client, its own first; TLS has seen that it has the key of that one. */
export function authenticateByCertificate(
  parts: AuthenticationParts,
  { registrationId, enrollment, groups }: Enrolled,
  certificates: readonly Uint8Array[],
): AuthenticatedDevice | FaultResponse {
  const [leaf, ...sent] = certificates.map(readCertificate);
  if (leaf === undefined) return refuse(faults.invalidCertificate('the client certificate cannot be read'));
  const problem = findLeafProblem(leaf, registrationId, parts.clock.now());
  if (problem !== undefined) return refuse(faults.invalidCertificate(`the client certificate ${problem}`));
  if (enrollment !== undefined) return matchIndividual(enrollment, leaf);
  const readable = sent.flatMap((each) => (each === undefined ? [] : [each]));
  const anchors = groups.flatMap((group) => findGroupAnchors(parts.store, group));
  const anchor = findAnchor(leaf, readable, anchors, parts.clock.now());
  if (anchor === undefined) {
    const reason = `there is no enrollment ${registrationId}, and no certificate of an enrollment group signed the client's, not through the ${readable.length} others it sent either`;
    return refuse(faults.caNotFound(reason));
  }
  const { owner: group, certificate: signingCertificate } = anchor;
  return {
    outcome: 'authenticated',
    device: nameMember(parts, registrationId, group),
    enrollment: group,
    proof: { kind: 'x509', certificate: derOf(leaf), signingCertificate: derOf(signingCertificate) },
  };
}

function findLeafProblem(leaf: ClientCertificate, registrationId: string, now: number): string | undefined {
  const commonName = commonNameOf(leaf);
  if (commonName?.toLowerCase() !== registrationId.toLowerCase()) {
    return `has the common name ${commonName ?? '(none, or several)'}, not ${registrationId}`;
  }
  return findValidityProblem(leaf, now);
}

function matchIndividual(
  enrollment: EnrollmentRecord,
  certificate: ClientCertificate,
): AuthenticatedDevice | FaultResponse {
  const { attestation, registrationId } = enrollment;
  if (attestation.type !== 'x509') {
    return refuse(
      faults.unauthorized(`the enrollment is for ${attestation.type}, and the request has no token`),
    );
  }
  const { primary, secondary } = attestation.clientCertificates ?? {};
  const enrolled = [primary, secondary].flatMap((each) => readCertificate(each?.certificate ?? '') ?? []);
  if (!enrolled.some((each) => isSame(each, certificate))) {
    return refuse(faults.invalidCertificate('the client certificate is not the enrolled one'));
  }
  const proof = { kind: 'x509', certificate: derOf(certificate) } as const;
  return { outcome: 'authenticated', device: { registrationId }, enrollment, proof };
}

function findGroupAnchors(
  store: EmulatorStore,
  group: EnrollmentGroupRecord,
): readonly TrustAnchor<EnrollmentGroupRecord>[] {
  const { attestation } = group;
  if (attestation.type !== 'x509') return [];
  const { signingCertificates: signing, caReferences: names } = attestation;
  const referred = [names?.primary, names?.secondary].map((name) =>
    name === undefined ? undefined : store.caCertificates.get(name)?.certificate,
  );
  return [signing?.primary?.certificate, signing?.secondary?.certificate, ...referred].flatMap((text) => {
    const certificate = readCertificate(text ?? '');
    return certificate === undefined ? [] : [{ certificate, owner: group }];
  });
}

function isSame(left: ClientCertificate, right: ClientCertificate): boolean {
  return timingSafeEqual(Buffer.from(thumbprintOf(left)), Buffer.from(thumbprintOf(right)));
}
