import type { TpmKeys } from './activation.ts';
import type { EmulatorStore, EnrollmentGroupRecord, EnrollmentRecord } from './store.ts';

/** A device that an enrollment speaks for, on its own or as one of a group. */
export interface EnrolledDevice {
  /** As enrolled, or, in a group, as the device first spelled it. */
  readonly registrationId: string;
  /** Absent for an individual enrollment. */
  readonly enrollmentGroupId?: string;
}

/** What a device proved: decides which credential the hub will know it by. */
export type DeviceProof =
  /** It could load a key that was wrapped for its TPM. */
  | { readonly kind: 'tpm'; readonly keys: TpmKeys }
  /** It holds one of these keys, primary and secondary; the hub takes either. */
  | { readonly kind: 'symmetricKey'; readonly keys: readonly Uint8Array[] }
  /** It holds the key of this certificate (DER); in a group, signed under the other. */
  | {
      readonly kind: 'x509';
      readonly certificate: Uint8Array;
      readonly signingCertificate?: Uint8Array;
    };

/** The enrollment that speaks for a device; undefined when it is gone. */
export function findEnrollmentOf(
  store: EmulatorStore,
  { registrationId, enrollmentGroupId }: EnrolledDevice,
): EnrollmentRecord | EnrollmentGroupRecord | undefined {
  return enrollmentGroupId === undefined
    ? store.enrollments.get(registrationId)
    : store.enrollmentGroups.get(enrollmentGroupId);
}
