import type { IndividualEnrollment, ProvisioningStatus } from '@endorse/protocol';
import { validateDeviceId, validateRegistrationId } from '@endorse/protocol';
import { toBytes } from './bytes-argument.ts';

/** A TPM enrollment as a test or a program writes it down. */
export interface TpmEnrollment {
  readonly registrationId: string;
  /** TPM2B_PUBLIC, size bytes included, as bytes or in base64. */
  readonly endorsementKey: Uint8Array | string;
  /** TPM2B_PUBLIC, as bytes or in base64; only needed for devices that do not send their own. */
  readonly storageRootKey?: Uint8Array | string;
  /** Hub device id; default the registration id. */
  readonly deviceId?: string;
  /** Default `enabled`. */
  readonly provisioningStatus?: ProvisioningStatus;
}

/** Turns it into an enrollment of the service API. Throws `ERR_INVALID_ARGUMENT` for an unusable id or text that is not base64. */
export function toIndividualEnrollment(enrollment: TpmEnrollment): IndividualEnrollment {
  const { registrationId, deviceId, provisioningStatus, storageRootKey } = enrollment;
  return {
    registrationId: validateRegistrationId(registrationId, 'enrollment.registrationId'),
    attestation: {
      type: 'tpm',
      endorsementKey: toBytes('enrollment.endorsementKey', enrollment.endorsementKey, 'a TPM2B_PUBLIC'),
      ...(storageRootKey === undefined
        ? {}
        : { storageRootKey: toBytes('enrollment.storageRootKey', storageRootKey, 'a TPM2B_PUBLIC') }),
    },
    ...(deviceId === undefined ? {} : { deviceId: validateDeviceId(deviceId, 'enrollment.deviceId') }),
    ...(provisioningStatus === undefined ? {} : { provisioningStatus }),
  };
}
