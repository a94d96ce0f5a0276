import type { RandomSource } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { emptyBytes, requireBytes } from './bytes/bytes.ts';
import { decryptCfb, encryptCfb } from './cfb.ts';
import { makeCredential } from './credential.ts';
import { duplicateHmacKey, innerSymmetric } from './duplicate.ts';
import { computeName } from './name.ts';
import { drawBytes } from './random.ts';
import type { PublicArea } from './structures/public-area.ts';

/** The six parts of an activation blob, each WITHOUT the 2-byte size of its TPM2B. */
export interface ActivationParts {
  /** Of TPM2B_ID_OBJECT: the credential for the endorsement key. */
  readonly idObject: Uint8Array;
  /** Of TPM2B_ENCRYPTED_SECRET: the credential's seed. */
  readonly encryptedSecret: Uint8Array;
  /** Of TPM2B_PRIVATE: the wrapped key. */
  readonly duplicate: Uint8Array;
  /** Of TPM2B_ENCRYPTED_SECRET: the seed of the wrapped key's outer wrapper. */
  readonly encryptedSeed: Uint8Array;
  /** Of TPM2B_PUBLIC: TPMT_PUBLIC of the key. */
  readonly publicArea: Uint8Array;
  /** Of TPM2B_DATA: data that clients ignore, encrypted with the inner wrapper's key. */
  readonly encryptedUri: Uint8Array;
}

/** What {@link createActivation} takes. */
export interface CreateActivationOptions {
  /** Public area of the TPM's endorsement key. */
  readonly endorsementKey: PublicArea;
  /** Public area of the TPM's storage root key. */
  readonly storageRootKey: PublicArea;
  /** The HMAC key to hand over: 1 to 64 bytes; the provisioning service uses 32. */
  readonly key: Uint8Array;
  /** Plain text of the last part: at most 1024 bytes; default empty. Keep it below 174 bytes for AMQP. */
  readonly uri?: Uint8Array | undefined;
  readonly random: RandomSource;
  /** Size of the inner wrapper's key: 128 (default, the only one every SDK takes) or 256. */
  readonly innerKeyBits?: 128 | 256 | undefined;
  /** Policy of the key; default empty. */
  readonly authPolicy?: Uint8Array | undefined;
}

/**
 * What a provisioning service sends to a TPM: a fresh HMAC key, wrapped so that only the TPM which holds both the
 * endorsement key and the storage root key can load it, and nobody can read it.
 *
 * The key is a duplicate for the storage root key; the key of its inner wrapper is a credential for the endorsement
 * key that is bound to the Name of the storage root key. Draws from `random`: the inner key, then what
 * `makeCredential` draws, then what `duplicateHmacKey` draws, so that a seeded run repeats byte for byte.
 * Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for keys that are no storage keys and values outside their range.
 */
export function createActivation(options: CreateActivationOptions): ActivationParts {
  const { endorsementKey, storageRootKey, key, random, innerKeyBits = 128 } = options;
  const uri = requireBytes('uri', options.uri ?? emptyBytes, { maximum: maxUriBytes });
  requireBytes('key', key, { minimum: 1, maximum: 64 });
  if (innerKeyBits !== 128 && innerKeyBits !== 256) {
    throw new InvalidArgumentError('innerKeyBits', 'must be 128 or 256', 'ERR_OUT_OF_RANGE');
  }
  const innerKey = drawBytes(random, innerKeyBits / 8);
  const { idObject, encryptedSecret } = makeCredential({
    endorsementKey,
    objectName: computeName(storageRootKey),
    credential: innerKey,
    random,
  });
  const { duplicate, encryptedSeed, publicBytes } = duplicateHmacKey({
    parent: storageRootKey,
    key,
    innerKey,
    random,
    authPolicy: options.authPolicy ?? emptyBytes,
  });
  const encryptedUri = encryptCfb(innerSymmetric(innerKey), innerKey, uri);
  innerKey.fill(0);
  return { idObject, encryptedSecret, duplicate, encryptedSeed, publicArea: publicBytes, encryptedUri };
}

/**
 * Reads the last part of an activation blob with the credential that its first two parts hold (16, 24 or 32 bytes): AES-CFB
 * with a zero IV, in software, because many TPMs lack TPM2_EncryptDecrypt. Nothing tells a wrong key: what comes out is
 * noise then. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for a key of another size.
 */
export function decryptActivationData(innerKey: Uint8Array, encryptedUri: Uint8Array): Uint8Array {
  requireBytes('innerKey', innerKey, { minimum: 16, maximum: 32 });
  requireBytes('encryptedUri', encryptedUri);
  return decryptCfb(innerSymmetric(innerKey), innerKey, encryptedUri);
}

const maxUriBytes = 1024;
