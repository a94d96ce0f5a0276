import type { HashAlgorithm, SymmetricDefinition } from '@endorse/tpm2';

/** An HMAC or policy session that is open in the TPM, with the nonces of its last answer. */
export interface AuthSession {
  /** What it is for: to sign with a key of its own, or to satisfy a policy. */
  readonly kind: 'hmac' | 'policy';
  /** Its handle, 0x02…… or 0x03……. */
  readonly handle: number;
  /** Hash of its HMACs and key derivation. */
  readonly hash: HashAlgorithm;
  /** Empty for a session that is neither salted nor bound. */
  readonly sessionKey: Uint8Array;
  /** Cipher of parameter encryption; null for none. */
  readonly symmetric: SymmetricDefinition | null;
  /** The TPM's nonce of the last answer; changes with every successful command. */
  nonceTpm: Uint8Array;
}

/** How a command is authorised, in the order of its handles; sessions that only encrypt come last. */
export type Authorization =
  | {
      readonly kind: 'password';
      /** The authorization value, in clear on the bus. */
      readonly authValue: Uint8Array;
    }
  | {
      readonly kind: 'session';
      readonly session: AuthSession;
      /** Authorization value of the entity; empty for a policy session. */
      readonly authValue: Uint8Array;
      /** Encrypt the first parameter of the command; default false. */
      readonly encryptCommand?: boolean | undefined;
      /** Have the TPM encrypt the first parameter of its response; default false. */
      readonly encryptResponse?: boolean | undefined;
      /** The TPM flushes the session when the command succeeds; default false. */
      readonly isLastUse?: boolean | undefined;
    };

/** The authorization of an entity without an authorization value. */
export const emptyPassword: Authorization = Object.freeze({
  kind: 'password',
  authValue: new Uint8Array(0),
});
