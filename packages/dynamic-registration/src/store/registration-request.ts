import type { Secret } from '@endorse/interface';

/** The token a device registers with, as verified. */
export interface RegisteredToken {
  readonly reference: string;
  readonly issuer: string;
  readonly tokenId?: string | undefined;
  readonly keyId?: string | undefined;
  /** How many devices it may register; any number when absent. */
  readonly maxUses?: number | undefined;
  readonly expiresAt?: number | undefined;
}

/** A device that asks for credentials, after everything that can be checked without the database. */
export interface RegistrationRequest {
  readonly token: RegisteredToken;
  /** The id in its normal form: what is unique. */
  readonly manufacturerId: string;
  /** The id as the device sent it. */
  readonly sentId: string;
  readonly name: string;
  readonly recipe: string;
  /** What the recipe made of it, as JSON text: class, attributes, tags. */
  readonly definition: string;
  /** 32 bytes that the device keeps: who has them may ask again. */
  readonly proof?: Uint8Array | undefined;
  /** Hex of the Name of the endorsement key of the device's TPM, when the secret will be readable by that TPM alone. */
  readonly endorsementKeyName?: string | undefined;
  /** Address the request came from. */
  readonly source?: string | undefined;
}

/** What authenticates a device. The secret exists here and at the device, nowhere else. */
export interface IssuedCredential {
  readonly deviceId: string;
  readonly accessKey: string;
  readonly accessSecret: Secret;
}

/**
 * How a registration ends.
 *
 * - `created`: a new device.
 * - `reissued`: the same device again, with the same proof, before it used its secret: a new secret, the old one is void.
 * - `already-active`: the same device, but its secret was used or acknowledged: rotation is the way.
 * - `conflict`: the id belongs to a device that gave another proof, or none.
 * - `token-revoked`, `token-used-up`: nothing was created.
 */
export type RegistrationOutcome =
  | { readonly outcome: 'created'; readonly credential: IssuedCredential }
  | {
      readonly outcome: 'reissued';
      readonly credential: IssuedCredential;
      /** Access keys that are void since. */
      readonly voided: readonly string[];
    }
  | { readonly outcome: 'already-active' | 'conflict'; readonly reason: string }
  | { readonly outcome: 'token-revoked' | 'token-used-up' };
