import { Secret } from '@endorse/interface';
import type {
  AttestationMechanism,
  EnrollmentGroup,
  IndividualEnrollment,
  ProvisioningStatus,
} from '@endorse/protocol';
import { validateDeviceId, validateRegistrationId } from '@endorse/protocol';
import { toBytes } from './bytes-argument.ts';

/** A pair of keys as a test or a program gives it: both of 16 to 64 bytes, or none, and the emulator makes them. */
export interface SymmetricKeyOptions {
  /** A `Secret`, bytes, or base64. */
  readonly primaryKey?: Secret | Uint8Array | string;
  /** A `Secret`, bytes, or base64. */
  readonly secondaryKey?: Secret | Uint8Array | string;
  /** Default `enabled`. */
  readonly provisioningStatus?: ProvisioningStatus;
}

/** A symmetric-key enrollment of one device. */
export interface SymmetricKeyEnrollment extends SymmetricKeyOptions {
  readonly registrationId: string;
  /** Hub device id; default the registration id. */
  readonly deviceId?: string;
}

/** A symmetric-key enrollment of every device that derives its key from the group's. */
export interface SymmetricKeyEnrollmentGroup extends SymmetricKeyOptions {
  readonly enrollmentGroupId: string;
}

/** The keys of an enrollment; a device, or `deriveGroupDeviceKey` for a group, needs one of them. */
export interface SymmetricKeys {
  readonly primaryKey: Secret;
  readonly secondaryKey: Secret;
}

/** Turns it into an enrollment of the service API. Throws `ERR_INVALID_ARGUMENT` for an unusable id or text that is not base64. */
export function toSymmetricKeyEnrollment(enrollment: SymmetricKeyEnrollment): IndividualEnrollment {
  const { registrationId, deviceId } = enrollment;
  return {
    registrationId: validateRegistrationId(registrationId, 'enrollment.registrationId'),
    ...(deviceId === undefined ? {} : { deviceId: validateDeviceId(deviceId, 'enrollment.deviceId') }),
    ...toSettings('enrollment', enrollment),
  };
}

/** Turns it into a group of the service API. Throws as {@link toSymmetricKeyEnrollment}. */
export function toSymmetricKeyGroup(group: SymmetricKeyEnrollmentGroup): EnrollmentGroup {
  return {
    enrollmentGroupId: validateRegistrationId(group.enrollmentGroupId, 'group.enrollmentGroupId'),
    ...toSettings('group', group),
  };
}

function toSettings(
  argument: string,
  { primaryKey, secondaryKey, provisioningStatus }: SymmetricKeyOptions,
): { readonly attestation: AttestationMechanism; readonly provisioningStatus?: ProvisioningStatus } {
  return {
    attestation: {
      type: 'symmetricKey',
      ...(primaryKey === undefined ? {} : { primaryKey: toKey(`${argument}.primaryKey`, primaryKey) }),
      ...(secondaryKey === undefined
        ? {}
        : { secondaryKey: toKey(`${argument}.secondaryKey`, secondaryKey) }),
    },
    ...(provisioningStatus === undefined ? {} : { provisioningStatus }),
  };
}

function toKey(argument: string, key: Secret | Uint8Array | string): Secret {
  return key instanceof Secret ? key : Secret.fromBytes(toBytes(argument, key, 'a key of 16 to 64 bytes'));
}
