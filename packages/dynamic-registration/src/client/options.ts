import type { Clock, RandomSource, Secret } from '@endorse/interface';
import type { WrappedDeviceSecret } from './reply.ts';

/** The TPM of a device, as far as a registration needs it. */
export interface RegistrationTpm {
  /** TPM2B_PUBLIC of the endorsement key. */
  getEndorsementKey(): Promise<Uint8Array>;
  /** TPM2B_PUBLIC of the storage root key. */
  getStorageRootKey(): Promise<Uint8Array>;
  /** Opens a credential with both keys (TPM2_ActivateCredential). */
  activateCredential(wrapped: WrappedDeviceSecret): Promise<Uint8Array>;
}

/** What a registration reports. */
export type DeviceProgress =
  | { readonly event: 'state-written' }
  | { readonly event: 'request-sent'; readonly attempt: number; readonly url: string }
  | { readonly event: 'reply-received'; readonly deviceId: string }
  | { readonly event: 'credentials-stored'; readonly deviceId: string }
  | { readonly event: 'acknowledged'; readonly deviceId: string }
  | { readonly event: 'retry-scheduled'; readonly delayMs: number; readonly code: string };

/** Options of {@link ensureRegistered}. */
export interface EnsureRegisteredOptions {
  /** The registration token; the same in every device. */
  readonly token: Secret;
  /** What this device is known by, for example its serial number: 1 to 255 characters. */
  readonly manufacturerId: string;
  /** File that keeps proof and credentials, mode 0600. One process at a time may use it. */
  readonly stateFile: string;
  /** Address of the registration; default the token's `url`. */
  readonly url?: string;
  /** PEM of the CAs to trust; default the system's. */
  readonly ca?: string;
  /** Allows `http:` and `mqtt:` to this machine itself. Dangerous anywhere else, where it is refused. Default false. */
  readonly allowPlainHttp?: boolean;
  /** The device's TPM, when token or registrar demand one. */
  readonly tpm?: RegistrationTpm;
  /** How long to try, in milliseconds, 1,000 to a week; default 15 minutes. */
  readonly deadlineMs?: number;
  /** How long one attempt may take, in milliseconds, 100 to 300,000; default 20,000. */
  readonly attemptTimeoutMs?: number;
  /** Ends it; what was stored by then is used the next time. */
  readonly signal?: AbortSignal;
  /** Told of every step; without secrets. */
  readonly onProgress?: (progress: DeviceProgress) => void;
  /** Default the system's. */
  readonly clock?: Clock;
  /** Makes the proof and the jitter; default the system's. */
  readonly random?: RandomSource;
}

/** What a registered device works with. */
export interface DeviceCredentials {
  readonly deviceId: string;
  readonly accessKey: string;
  readonly accessSecret: Secret;
  /** Where they are good, when the reply or the token said so. */
  readonly broker: string | undefined;
  /** `stored`: from the file, without any network. */
  readonly source: 'stored' | 'registered';
}
