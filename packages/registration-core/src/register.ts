import type { RegistrationResult } from '@endorse/interface';
import { driveRegistration } from './driver/drive.ts';
import type { RegisterOptions } from './options.ts';
import { planRegistration } from './options.ts';

/**
 * Registers a device and, with a TPM, loads the key for its hub into the TPM.
 *
 * Settles exactly once, after the session is closed and the security client is
 * at rest. Rejects with
 * - `ERR_INVALID_ARGUMENT`, `ERR_OUT_OF_RANGE` or `ERR_UNSUPPORTED_CAPABILITY`
 *   before any IO;
 * - `signal.reason` on abort, and `ERR_TIMEOUT` when the deadline passed;
 * - `ERR_REGISTRATION_…` (`RegistrationFailedError`) when the service says no;
 * - the error of the security client or the transport that could not be
 *   repeated, or not any more: `ERR_TPM_…`, `ERR_SERVICE_…`, `ERR_TRANSPORT_…`,
 *   `ERR_REMOTE_…`.
 */
export async function register(options: RegisterOptions): Promise<RegistrationResult> {
  return driveRegistration(planRegistration(options));
}
