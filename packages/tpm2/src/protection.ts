import { timingSafeEqual } from 'node:crypto';
import type { HashAlgorithm } from './algorithms.ts';
import { digestSize, hmac, maxDigestSize } from './algorithms.ts';
import { readExactly } from './bytes/byte-reader.ts';
import { concatBytes, emptyBytes, sizedBytes } from './bytes/bytes.ts';
import { decryptCfb, encryptCfb } from './cfb.ts';
import { kdfa } from './kdf.ts';
import type { SymmetricDefinition } from './structures/symmetric.ts';
import { TpmError } from './tpm-error.ts';

/** The keys' source and the binding of an outer wrapper. */
export interface ProtectionOptions {
  /** nameAlg of the protecting key. */
  readonly hash: HashAlgorithm;
  /** Cipher of the protecting key. */
  readonly symmetric: SymmetricDefinition;
  /** The shared secret. */
  readonly seed: Uint8Array;
  /** Name of the object the data is bound to. */
  readonly name: Uint8Array;
}

/**
 * Encrypt-then-MAC as TPM2_MakeCredential and the outer wrapper of a duplicate do it (Part 1, Credential Protection and
 * Outer Duplication Wrapper):
 * TPM2B(HMAC) ‖ CFB ciphertext, with keys that KDFa derives for `STORAGE` (bound to the Name) and `INTEGRITY`.
 */
export function protect(options: ProtectionOptions, data: Uint8Array): Uint8Array {
  const { hash, symmetric, name } = options;
  const { storageKey, integrityKey } = protectionKeys(options);
  const encrypted = encryptCfb(symmetric, storageKey, data);
  return concatBytes(sizedBytes(hmac(hash, integrityKey, encrypted, name)), encrypted);
}

/**
 * The inverse of {@link protect}. Throws {@link TpmError} as a TPM would: `ERR_TPM_INTEGRITY` (or `ERR_TPM_SIZE` for an
 * HMAC of another size) about the given parameter of the command.
 */
export function unprotect(
  options: ProtectionOptions,
  bytes: Uint8Array,
  failure: { readonly command: string; readonly parameter: number },
): Uint8Array {
  const { hash, symmetric, name } = options;
  const about = 0x40 | (failure.parameter << 8);
  const { integrity, encrypted } = splitProtected(bytes, () => new TpmError(failure.command, 0x95 | about));
  const { storageKey, integrityKey } = protectionKeys(options);
  const expected = hmac(hash, integrityKey, encrypted, name);
  if (integrity.byteLength !== expected.byteLength || !timingSafeEqual(integrity, expected)) {
    throw new TpmError(failure.command, 0x9f | about);
  }
  return decryptCfb(symmetric, storageKey, encrypted);
}

function splitProtected(
  bytes: Uint8Array,
  failure: () => TpmError,
): { readonly integrity: Uint8Array; readonly encrypted: Uint8Array } {
  try {
    return readExactly(bytes, 'TPM2B_PRIVATE', (reader) => ({
      integrity: reader.sized('integrity', maxDigestSize),
      encrypted: reader.rest(),
    }));
  } catch {
    throw failure();
  }
}

function protectionKeys({ hash, symmetric, seed, name }: ProtectionOptions): {
  readonly storageKey: Uint8Array;
  readonly integrityKey: Uint8Array;
} {
  return {
    storageKey: kdfa(hash, seed, 'STORAGE', name, emptyBytes, symmetric.keyBits),
    integrityKey: kdfa(hash, seed, 'INTEGRITY', emptyBytes, emptyBytes, digestSize(hash) * 8),
  };
}
