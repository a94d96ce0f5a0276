/** What the service answered, whichever dialect it speaks. */
import type { JsonValue } from '@endorse/interface';
import type { ProvisioningClientError } from './errors.ts';

/** A challenge: something that only the right TPM can decrypt. */
export interface Challenge {
  /** `drs`: names the challenge in the confirmation. `dps`: name of the key that the token is signed with. */
  readonly label: string;
  /** `drs`: the encrypted nonce. `dps`: the activation blob. */
  readonly encrypted: Uint8Array;
}

/** Where a device belongs. */
export interface Assignment {
  /** Host of the hub, with a port when it is not the usual one. */
  readonly iothubUri: string;
  readonly deviceId: string;
  /** What a custom allocation returned for the device. */
  readonly payload?: JsonValue | undefined;
}

/** One answer. */
export type ServiceReply =
  /** The device shall prove itself. */
  | { readonly kind: 'challenge'; readonly challenge: Challenge }
  /** The registration has begun and is watched under this name: `drs` a request target, `dps` an operation id. */
  | { readonly kind: 'operation'; readonly operation: string; readonly retryAfterMs?: number | undefined }
  /** It still goes on. */
  | { readonly kind: 'assigning'; readonly retryAfterMs?: number | undefined }
  /** It is done; with a key to import, if one came along. */
  | {
      readonly kind: 'assigned';
      readonly assignment: Assignment;
      readonly authenticationKey?: Uint8Array | undefined;
    }
  /** An error answer, or one that cannot be used. */
  | {
      readonly kind: 'refused';
      readonly error: ProvisioningClientError;
      /** Whether the same request may succeed later, a fresh registration may, or neither. */
      readonly recovery: 'repeat' | 'restart' | 'none';
      readonly retryAfterMs?: number | undefined;
    };
