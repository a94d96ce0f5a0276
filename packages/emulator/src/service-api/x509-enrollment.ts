import { InvalidArgumentError } from '@endorse/interface';
import type {
  CertificatePair,
  EnrollmentGroup,
  IndividualEnrollment,
  ProvisioningStatus,
} from '@endorse/protocol';
import { validateDeviceId, validateRegistrationId } from '@endorse/protocol';
import type { CaCertificateRecord } from '../core/store.ts';
import { findAuthorityProblem } from './certificate-rules.ts';

/** An X.509 enrollment of one device; the common name of its certificates has to be the registration id. */
export interface X509Enrollment {
  readonly registrationId: string;
  /** PEM, or base64 of DER. */
  readonly primaryCertificate: string;
  /** PEM, or base64 of DER: the certificate that is to replace the other. */
  readonly secondaryCertificate?: string;
  /** Hub device id; default the registration id. */
  readonly deviceId?: string;
  /** Default `enabled`. */
  readonly provisioningStatus?: ProvisioningStatus;
}

/** An X.509 enrollment of every device with a certificate signed, directly or not, under one of these. */
export type X509EnrollmentGroup = {
  readonly enrollmentGroupId: string;
  /** Default `enabled`. */
  readonly provisioningStatus?: ProvisioningStatus;
} & (
  | {
      /** PEM, or base64 of DER, of a CA or an intermediate CA. */
      readonly primaryCertificate: string;
      /** PEM, or base64 of DER. */
      readonly secondaryCertificate?: string;
    }
  | {
      /** Name of an uploaded CA certificate. */
      readonly primaryCaName: string;
      /** Name of an uploaded CA certificate. */
      readonly secondaryCaName?: string;
    }
);

/** A CA certificate to which groups refer by name. It counts as verified: there is no proof of possession here. */
export interface CaCertificate {
  /** 1 to 256 characters, compared without regard to case. */
  readonly name: string;
  /** PEM, or base64 of DER. */
  readonly certificate: string;
}

/** Turns it into an enrollment of the service API. Throws `ERR_INVALID_ARGUMENT` for an unusable id. */
export function toX509Enrollment(enrollment: X509Enrollment): IndividualEnrollment {
  const { registrationId, deviceId, provisioningStatus } = enrollment;
  return {
    registrationId: validateRegistrationId(registrationId, 'enrollment.registrationId'),
    attestation: { type: 'x509', clientCertificates: toPair(enrollment) },
    ...(deviceId === undefined ? {} : { deviceId: validateDeviceId(deviceId, 'enrollment.deviceId') }),
    ...(provisioningStatus === undefined ? {} : { provisioningStatus }),
  };
}

/** Turns it into a group of the service API. Throws `ERR_INVALID_ARGUMENT` for an unusable id. */
export function toX509Group(group: X509EnrollmentGroup): EnrollmentGroup {
  const { provisioningStatus } = group;
  return {
    enrollmentGroupId: validateRegistrationId(group.enrollmentGroupId, 'group.enrollmentGroupId'),
    attestation:
      'primaryCaName' in group
        ? { type: 'x509', caReferences: toReferences(group) }
        : { type: 'x509', signingCertificates: toPair(group) },
    ...(provisioningStatus === undefined ? {} : { provisioningStatus }),
  };
}

/** Checks a CA certificate. Throws `ERR_INVALID_ARGUMENT`. */
export function toCaCertificateRecord({ name, certificate }: CaCertificate): CaCertificateRecord {
  if (typeof name !== 'string' || name === '' || name.length > 256) {
    throw new InvalidArgumentError('ca.name', 'must have 1 to 256 characters');
  }
  const problem = typeof certificate === 'string' ? findAuthorityProblem(certificate) : 'is no text';
  if (problem !== undefined) throw new InvalidArgumentError('ca.certificate', problem);
  return { name, certificate };
}

function toPair(certificates: {
  readonly primaryCertificate: string;
  readonly secondaryCertificate?: string;
}): CertificatePair {
  const { primaryCertificate, secondaryCertificate } = certificates;
  return {
    primary: { certificate: primaryCertificate },
    ...(secondaryCertificate === undefined ? {} : { secondary: { certificate: secondaryCertificate } }),
  };
}

function toReferences(names: { readonly primaryCaName: string; readonly secondaryCaName?: string }): {
  readonly primary: string;
  readonly secondary?: string;
} {
  const { primaryCaName, secondaryCaName } = names;
  return {
    primary: primaryCaName,
    ...(secondaryCaName === undefined ? {} : { secondary: secondaryCaName }),
  };
}
