import type { EndorseErrorOptions, ErrorFault } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';

/** Codes of {@link ProvisioningError}. */
export type ProvisioningErrorCode =
  /** A file that a person wrote cannot be used: inventory, job, passwords. */
  | 'ERR_INVENTORY'
  | 'ERR_JOB'
  | 'ERR_PLAN_FILE'
  | 'ERR_PASSWORDS_FILE'
  | 'ERR_REPORT_FILE'
  /** The world is not what the plan saw. */
  | 'ERR_PLAN_STALE'
  /** Two things claim to be one, or one claims to be another. */
  | 'ERR_SERIAL_MISMATCH'
  | 'ERR_SERIAL_DUPLICATE'
  | 'ERR_KEY_DUPLICATE'
  | 'ERR_KEY_CHANGED'
  | 'ERR_ENROLLMENT_CONFLICT'
  /** This device cannot be provisioned as it is. */
  | 'ERR_DEVICE_INELIGIBLE'
  | 'ERR_NO_CREDENTIALS'
  | 'ERR_KEY_UNUSABLE'
  | 'ERR_REGISTRATION_ID'
  /** The device did not become what it should. */
  | 'ERR_WRITE_NOT_KEPT'
  | 'ERR_DOOR_OPEN'
  | 'ERR_REGISTRATION_FAILED'
  /** The journal. */
  | 'ERR_JOURNAL_LOCKED'
  | 'ERR_JOURNAL_CORRUPT'
  | 'ERR_JOURNAL_WRITE'
  | 'ERR_JOURNAL_EXISTS'
  | 'ERR_JOURNAL_OTHER_PLAN';

/** Something stands in the way of provisioning; `code` says what, `remedy` what to do. */
export class ProvisioningError extends EndorseError {
  readonly code: ProvisioningErrorCode;
  readonly fault: ErrorFault;
  readonly retryable: boolean;

  constructor(code: ProvisioningErrorCode, message: string, options: EndorseErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.fault = faults[code] ?? 'caller';
    this.retryable = retryableCodes.has(code);
  }
}

const faults: Readonly<Partial<Record<ProvisioningErrorCode, ErrorFault>>> = {
  ERR_WRITE_NOT_KEPT: 'peer',
  ERR_DOOR_OPEN: 'peer',
  ERR_KEY_UNUSABLE: 'peer',
  ERR_SERIAL_MISMATCH: 'peer',
  ERR_REGISTRATION_FAILED: 'service',
  ERR_JOURNAL_LOCKED: 'local',
  ERR_JOURNAL_CORRUPT: 'local',
  ERR_JOURNAL_WRITE: 'local',
};

const retryableCodes: ReadonlySet<ProvisioningErrorCode> = new Set(['ERR_DOOR_OPEN', 'ERR_JOURNAL_LOCKED']);

/** Codes that mean "two claims contradict": a person has to decide, trying again cannot help. */
export const conflictCodes: ReadonlySet<string> = new Set<ProvisioningErrorCode | 'ERR_PIN_MISMATCH'>([
  'ERR_PLAN_STALE',
  'ERR_SERIAL_MISMATCH',
  'ERR_SERIAL_DUPLICATE',
  'ERR_KEY_DUPLICATE',
  'ERR_KEY_CHANGED',
  'ERR_ENROLLMENT_CONFLICT',
  'ERR_PIN_MISMATCH',
]);

/** Codes that mean "this device cannot be provisioned as it is": nothing was written, and trying again cannot help. */
export const blockedCodes: ReadonlySet<string> = new Set<string>([
  'ERR_NO_CREDENTIALS',
  'ERR_KEY_UNUSABLE',
  'ERR_REGISTRATION_ID',
  'ERR_GATEWAY_NO_TPM',
  'ERR_GATEWAY_NO_ENDORSEMENT_KEY',
  'ERR_GATEWAY_SIGN_IN_REFUSED',
  'ERR_GATEWAY_LOCKED',
  'ERR_GATEWAY_FORBIDDEN',
  'ERR_GATEWAY_SESSION_LIMIT',
  'ERR_PIN_UNKNOWN',
]);
