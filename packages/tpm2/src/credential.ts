import type { KeyObject } from 'node:crypto';
import type { RandomSource } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import type { HashAlgorithm } from './algorithms.ts';
import { digestSize } from './algorithms.ts';
import { readExactly } from './bytes/byte-reader.ts';
import { requireBytes, sizedBytes } from './bytes/bytes.ts';
import { protect, unprotect } from './protection.ts';
import { decapsulateSecret, encapsulateSecret, requireNameAlg } from './secret-sharing.ts';
import type { PublicArea } from './structures/public-area.ts';
import type { SymmetricDefinition } from './structures/symmetric.ts';
import { TpmError } from './tpm-error.ts';

/** What {@link makeCredential} takes. */
export interface MakeCredentialOptions {
  /** Public area of the endorsement key (or any storage key) that is to decrypt it. */
  readonly endorsementKey: PublicArea;
  /** Name of the object that must be loaded beside it. */
  readonly objectName: Uint8Array;
  /** The secret: at most a digest of the endorsement key's nameAlg (32 bytes for SHA-256). */
  readonly credential: Uint8Array;
  readonly random: RandomSource;
}

/** A credential as TPM2_ActivateCredential takes it. */
export interface Credential {
  /** Inner bytes of TPM2B_ID_OBJECT: TPM2B integrity ‖ encrypted credential. */
  readonly idObject: Uint8Array;
  /** Inner bytes of TPM2B_ENCRYPTED_SECRET. */
  readonly encryptedSecret: Uint8Array;
}

/**
 * TPM2_MakeCredential in software (Part 1, Credential Protection; Part 3, 12.6): encrypts a secret that only a TPM with both the
 * endorsement key and the named object can decrypt. Throws `ERR_INVALID_ARGUMENT` for a key that is no storage key,
 * `ERR_OUT_OF_RANGE` for a credential that is too long.
 */
export function makeCredential(options: MakeCredentialOptions): Credential {
  const { endorsementKey, credential } = options;
  const { hash, symmetric } = storageParameters(endorsementKey, 'endorsementKey');
  requireBytes('credential', credential, { maximum: digestSize(hash) });
  const name = requireBytes('objectName', options.objectName);
  const { seed, encryptedSecret } = encapsulateSecret(endorsementKey, 'IDENTITY', options.random);
  const idObject = protect({ hash, symmetric, seed, name }, sizedBytes(credential));
  seed.fill(0);
  return { idObject, encryptedSecret };
}

/** What {@link activateCredentialSoftware} takes. */
export interface ActivateCredentialSoftwareOptions extends Credential {
  /** Public area of the endorsement key. */
  readonly endorsementKey: PublicArea;
  /** Private half of the endorsement key. */
  readonly privateKey: KeyObject;
  /** Name of the object the credential is bound to. */
  readonly objectName: Uint8Array;
}

/**
 * TPM2_ActivateCredential for a TPM double whose endorsement key lives in node:crypto; returns the credential.
 * Throws the {@link TpmError} that a TPM answers, for example `ERR_TPM_INTEGRITY` for another Name or altered bytes.
 */
export function activateCredentialSoftware(options: ActivateCredentialSoftwareOptions): Uint8Array {
  const { endorsementKey, privateKey, encryptedSecret } = options;
  const { hash, symmetric } = storageParameters(endorsementKey, 'endorsementKey');
  const command = 'ActivateCredential';
  requireBytes('idObject', options.idObject);
  const seed = decapsulateSecret({
    recipient: endorsementKey,
    privateKey,
    label: 'IDENTITY',
    encryptedSecret,
    command,
  });
  const name = requireBytes('objectName', options.objectName);
  const plain = unprotect({ hash, symmetric, seed, name }, options.idObject, { command, parameter: 1 });
  seed.fill(0);
  try {
    return readExactly(plain, 'TPM2B_DIGEST', (reader) => reader.sized('credential', digestSize(hash)));
  } catch (cause) {
    throw new TpmError(command, rcCredentialSize, { cause });
  }
}

/** Hash and cipher with which a storage key protects others. Throws `ERR_INVALID_ARGUMENT` when it is none. */
export function storageParameters(
  area: PublicArea,
  argument: string,
): { readonly hash: HashAlgorithm; readonly symmetric: SymmetricDefinition } {
  const hash = requireNameAlg(area, argument);
  if (area.type === 'keyedHash' || area.type === 'symcipher') {
    throw new InvalidArgumentError(`${argument}.type`, `is ${area.type}, which is no RSA or ECC storage key`);
  }
  const { symmetric } = area;
  if (symmetric === null) throw new InvalidArgumentError(`${argument}.symmetric`, 'is null: no storage key');
  return { hash, symmetric };
}

/** TPM_RC_SIZE about parameter 1. */
const rcCredentialSize = 0x1d5;
