import type { RandomSource } from '@endorse/interface';
import { describeCertificate, fingerprintOf, readCertificate } from '../certificate/client-certificate.ts';
import { wrapFreshKey } from './activation.ts';
import type { DeviceProof, EnrolledDevice } from './enrolled-device.ts';
import type { ServiceFault } from './fault.ts';
import type { RegistrationRecord } from './store.ts';

/** What a hub shall know a device by, and for a TPM the blob in which the device gets its key. */
export interface HubCredentialMade {
  readonly keys: readonly Uint8Array[];
  readonly thumbprints?: readonly string[];
  readonly authenticationKey?: Uint8Array;
}

/** Makes the credential that follows from a proof; `purpose` names what a TPM's key is for. */
export function makeHubCredential(
  proof: DeviceProof,
  purpose: string,
  random: RandomSource,
): HubCredentialMade | { readonly fault: ServiceFault } {
  switch (proof.kind) {
    case 'tpm': {
      const wrapped = wrapFreshKey(proof.keys, purpose, random);
      return wrapped.ok ? { keys: [wrapped.key], authenticationKey: wrapped.activationBlob } : wrapped;
    }
    case 'symmetricKey':
      return { keys: proof.keys };
    case 'x509':
      return { keys: [], thumbprints: [fingerprintOf(proof.certificate)] };
    default:
      return proof satisfies never;
  }
}

/** What the registration state tells about the proof; nothing for an individual symmetric key, as the service. */
export function describeProof(
  { enrollmentGroupId }: EnrolledDevice,
  proof: DeviceProof,
): Pick<RegistrationRecord, 'symmetricKey' | 'x509'> {
  const group = enrollmentGroupId === undefined ? {} : { enrollmentGroupId };
  switch (proof.kind) {
    case 'tpm':
      return {};
    case 'symmetricKey':
      return enrollmentGroupId === undefined ? {} : { symmetricKey: group };
    case 'x509': {
      const certificate = readCertificate(proof.certificate);
      const issuer = readCertificate(proof.signingCertificate ?? '');
      return {
        x509: {
          ...group,
          ...(certificate === undefined ? {} : { certificateInfo: describeCertificate(certificate) }),
          ...(issuer === undefined ? {} : { signingCertificateInfo: describeCertificate(issuer) }),
        },
      };
    }
    default:
      return proof satisfies never;
  }
}
