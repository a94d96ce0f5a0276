import type { Clock, Logger, NonceDecryptingSecurityClient, SecurityClient } from '@endorse/interface';
import type { ProvDeviceFailure, ProvisioningClientError } from './errors.ts';
import type { ProvDeviceRegStatus, ProvDeviceResult } from './results.ts';

/** Told once how a registration ended: with `OK`, hub and device id, or with what went wrong and two nulls. */
export type RegisterDeviceCallback = (
  registerResult: ProvDeviceResult,
  iothubUri: string | null,
  deviceId: string | null,
  userContext: unknown,
) => void;

/** Told how far a registration has come. */
export type RegisterStatusCallback = (regStatus: ProvDeviceRegStatus, userContext: unknown) => void;

/** Told why a registration failed, before the register callback is told that it did. */
export type ProvisioningErrorCallback = (
  result: ProvDeviceFailure,
  userContext: unknown,
  error: ProvisioningClientError,
) => void;

/** What a client is made with, beside address, scope and transport. */
export interface ProvisioningClientOptions {
  /** The identity of the device; the `drs` dialect needs a TPM one with `decryptNonce`. */
  readonly securityClient: SecurityClient | NonceDecryptingSecurityClient;
  /** `dps` (default): today's service. `drs`: the protocol of the requirements of 2017, over a pump transport only. */
  readonly dialect?: 'drs' | 'dps' | undefined;
  /** Told why a registration failed; default nobody. */
  readonly onError?: ProvisioningErrorCallback | undefined;
  /** Given to `onError`; default undefined. */
  readonly errorContext?: unknown;
  /** Told why `create` resolves to null; default nobody. */
  readonly onCreateError?: ((error: Error) => void) | undefined;
  /** Longest registration, in milliseconds, 1 to 86,400,000; default 300,000. */
  readonly deadlineMs?: number | undefined;
  /** Least pause between two status requests and before a repeated request, in milliseconds, 0 to 300,000; default 2000. */
  readonly throttleMs?: number | undefined;
  /** Time; default the system's. */
  readonly clock?: Clock | undefined;
  /** Receives changes of state at level `debug`, with `logtrace` every exchange too; default none. */
  readonly logger?: Logger | undefined;
}
