import { InvalidArgumentError } from '@endorse/interface';
import { validateRegistrationId } from '@endorse/protocol';
import type { TpmAddress } from './device/address.ts';
import type { TpmDevice } from './device/tpm-device.ts';
import type { ConnectTpmDevice } from './executor/connection.ts';
import type { TpmExecutor, TpmExecutorOptions } from './executor/executor.ts';
import { checkAuthValue } from './keys/auth-value.ts';
import type { AuthValue } from './keys/auth-value.ts';
import type { IdentityKeyHandles } from './keys/identity-slots.ts';
import type { KeyOptions } from './keys/key-plan.ts';
import type { SessionMode } from './session/protection.ts';

/** Options of `createTpmSecurityClient`. */
export interface TpmSecurityClientOptions extends KeyOptions, TpmExecutorOptions {
  /**
   * The TPM: an address, a device, a function that opens one, or an executor. What the client opened it closes;
   * a device or an executor that was given stays its owner's, and the options of a given executor are its own.
   */
  readonly tpm: string | TpmAddress | TpmDevice | ConnectTpmDevice | TpmExecutor;
  /** Registration id; default derived from the endorsement key. */
  readonly registrationId?: string | undefined;
  /** Authorization value of the owner hierarchy; default empty. */
  readonly ownerAuth?: AuthValue | undefined;
  /** Authorization value of the endorsement hierarchy; default empty. */
  readonly endorsementAuth?: AuthValue | undefined;
  /** `alternate` (default) never loses the working key; `in-place` for TPMs shared with programs that know one handle. */
  readonly identityKeyHandles?: IdentityKeyHandles | undefined;
  /** `protected` (default) signs and encrypts what crosses the bus; `none` saves one private-key operation an operation. */
  readonly sessions?: SessionMode | undefined;
  /** The Name the endorsement key must have (34 bytes with SHA-256); default any. */
  readonly pinnedEkName?: Uint8Array | undefined;
  /** False: an absent endorsement or storage root key is `ERR_TPM_KEY_MISSING` instead of being created. Default true. */
  readonly createKeys?: boolean | undefined;
}

/** Throws `ERR_INVALID_ARGUMENT` for options nobody can follow, before any IO. */
export function checkClientOptions(options: TpmSecurityClientOptions): void {
  const { registrationId, identityKeyHandles, sessions, pinnedEkName } = options;
  if (!['string', 'object', 'function'].includes(typeof options.tpm) || options.tpm === null) {
    throw new InvalidArgumentError('options.tpm', 'must be an address, a device, a function or an executor');
  }
  if (registrationId !== undefined) validateRegistrationId(registrationId, 'options.registrationId');
  checkAuthValue(options.ownerAuth, 'options.ownerAuth');
  checkAuthValue(options.endorsementAuth, 'options.endorsementAuth');
  if (identityKeyHandles !== undefined && !['alternate', 'in-place'].includes(identityKeyHandles)) {
    throw new InvalidArgumentError('options.identityKeyHandles', "must be 'alternate' or 'in-place'");
  }
  if (sessions !== undefined && !['protected', 'none'].includes(sessions)) {
    throw new InvalidArgumentError('options.sessions', "must be 'protected' or 'none'");
  }
  if (pinnedEkName !== undefined && !(pinnedEkName instanceof Uint8Array && pinnedEkName.byteLength > 2)) {
    throw new InvalidArgumentError('options.pinnedEkName', 'must be a Name: an algorithm and a digest');
  }
}
