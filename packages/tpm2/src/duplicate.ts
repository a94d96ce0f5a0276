/**
 * Duplication wrappers (Part 1, Inner and Outer Duplication Wrapper): how a key travels into a TPM.
 *
 * From the inside out: TPM2B_SENSITIVE; the inner wrapper, TPM2B(H(sensitive ‖ Name)) ‖ sensitive under a symmetric key
 * that the importer knows (optional); the outer wrapper, encrypted to the new parent and bound to the Name.
 * The inner hash is the object's nameAlg; hash and cipher of the outer wrapper are the parent's.
 */
import type { KeyObject } from 'node:crypto';
import type { RandomSource } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import type { HashAlgorithm } from './algorithms.ts';
import { digest, digestSize, maxDigestSize } from './algorithms.ts';
import { readExactly } from './bytes/byte-reader.ts';
import { concatBytes, emptyBytes, equalBytes, requireBytes, sizedBytes } from './bytes/bytes.ts';
import { decryptCfb, encryptCfb } from './cfb.ts';
import { storageParameters } from './credential.ts';
import { computeName } from './name.ts';
import { protect, unprotect } from './protection.ts';
import { drawBytes } from './random.ts';
import { decapsulateSecret, encapsulateSecret, requireNameAlg } from './secret-sharing.ts';
import { objectAttributes } from './structures/object-attributes.ts';
import type { KeyedHashPublic, PublicArea } from './structures/public-area.ts';
import { encodePublic } from './structures/public-area.ts';
import type { Sensitive } from './structures/sensitive.ts';
import { encodeSensitive, readSensitive } from './structures/sensitive.ts';
import type { SymmetricDefinition } from './structures/symmetric.ts';
import { TpmError } from './tpm-error.ts';

/** What {@link duplicateObject} takes. */
export interface DuplicateOptions {
  /** Public area of the storage key that is to be the parent. */
  readonly parent: PublicArea;
  /** Public area of the object. */
  readonly publicArea: PublicArea;
  /** Private part of the object. */
  readonly sensitive: Sensitive;
  /** Key of the inner wrapper, 16, 24 or 32 bytes of AES; absent: no inner wrapper. */
  readonly innerKey?: Uint8Array | undefined;
  readonly random: RandomSource;
}

/** A wrapped key as TPM2_Import takes it. */
export interface Duplicate {
  /** Inner bytes of TPM2B_PRIVATE: TPM2B(outer HMAC) ‖ encrypted. */
  readonly duplicate: Uint8Array;
  /** Inner bytes of TPM2B_ENCRYPTED_SECRET. */
  readonly encryptedSeed: Uint8Array;
}

/**
 * TPM2_Duplicate in software: wraps an object for a new parent.
 * Throws `ERR_INVALID_ARGUMENT` for a parent that is no storage key or an inner key of another size.
 */
export function duplicateObject(options: DuplicateOptions): Duplicate {
  const { parent, publicArea } = options;
  const { hash, symmetric } = storageParameters(parent, 'parent');
  const name = computeName(publicArea);
  const sensitive2b = sizedBytes(encodeSensitive(options.sensitive));
  const wrapped =
    options.innerKey === undefined
      ? sensitive2b
      : wrapInner(requireNameAlg(publicArea, 'publicArea'), options.innerKey, name, sensitive2b);
  const { seed, encryptedSecret } = encapsulateSecret(parent, 'DUPLICATE', options.random);
  const duplicate = protect({ hash, symmetric, seed, name }, wrapped);
  sensitive2b.fill(0);
  seed.fill(0);
  return { duplicate, encryptedSeed: encryptedSecret };
}

/** What {@link duplicateHmacKey} takes. */
export interface DuplicateHmacKeyOptions {
  /** Public area of the storage key that is to be the parent. */
  readonly parent: PublicArea;
  /** The HMAC key: 1 byte to one block of its hash (64 bytes for SHA-256). */
  readonly key: Uint8Array;
  /** Key of the inner wrapper: 16, 24 or 32 bytes; absent: no inner wrapper. */
  readonly innerKey?: Uint8Array | undefined;
  readonly random: RandomSource;
  /** Hash of the HMAC and nameAlg of the object; default `sha256`. */
  readonly hash?: HashAlgorithm | undefined;
  /** Default sign, userWithAuth and noDA (0x00040440), as the provisioning service sets them. */
  readonly objectAttributes?: number | undefined;
  /** Default empty. */
  readonly authPolicy?: Uint8Array | undefined;
  /** Default empty. */
  readonly authValue?: Uint8Array | undefined;
}

/** A wrapped HMAC key and its public side. */
export interface DuplicatedHmacKey extends Duplicate {
  /** Public area of the key. */
  readonly public: KeyedHashPublic;
  /** The same, encoded: TPMT_PUBLIC without the TPM2B size. */
  readonly publicBytes: Uint8Array;
  /** Name of the key. */
  readonly name: Uint8Array;
}

/** Attributes of the identity key: sign, userWithAuth, noDA. */
export const hmacKeyAttributes: number =
  objectAttributes.sign | objectAttributes.userWithAuth | objectAttributes.noDa;

/**
 * Makes an HMAC key object from raw bytes and wraps it for a parent.
 * Draws the obfuscation value (one digest), then what {@link encapsulateSecret} draws.
 * Throws `ERR_OUT_OF_RANGE` for a key that no TPM imports, `ERR_INVALID_ARGUMENT` as {@link duplicateObject}.
 */
export function duplicateHmacKey(options: DuplicateHmacKeyOptions): DuplicatedHmacKey {
  const { parent, key, innerKey, random, hash = 'sha256' } = options;
  requireBytes('key', key, { minimum: 1, maximum: hmacBlockSize(hash) });
  const attributes = options.objectAttributes ?? hmacKeyAttributes;
  if ((attributes & (objectAttributes.fixedTpm | objectAttributes.fixedParent)) !== 0) {
    throw new InvalidArgumentError('objectAttributes', 'must not have fixedTPM or fixedParent');
  }
  const seedValue = drawBytes(random, digestSize(hash));
  const area: KeyedHashPublic = Object.freeze({
    type: 'keyedHash',
    nameAlg: hash,
    objectAttributes: attributes,
    authPolicy: options.authPolicy ?? emptyBytes,
    scheme: Object.freeze({ scheme: 'hmac', hash }),
    unique: digest(hash, seedValue, key),
  });
  const sensitive: Sensitive = {
    sensitiveType: 'keyedHash',
    authValue: options.authValue ?? emptyBytes,
    seedValue,
    sensitive: key,
  };
  const wrapped = duplicateObject({ parent, publicArea: area, sensitive, innerKey, random });
  seedValue.fill(0);
  return { public: area, publicBytes: encodePublic(area), name: computeName(area), ...wrapped };
}

/** What {@link importDuplicateSoftware} takes. */
export interface ImportDuplicateSoftwareOptions extends Duplicate {
  /** Public area of the parent. */
  readonly parent: PublicArea;
  /** Private half of the parent. */
  readonly privateKey: KeyObject;
  /** Public area of the object. */
  readonly publicArea: PublicArea;
  /** Key of the inner wrapper; absent when there is none. */
  readonly innerKey?: Uint8Array | undefined;
}

/**
 * TPM2_Import for a TPM double whose storage key lives in node:crypto.
 * Returns the private part. Throws the {@link TpmError} that a TPM answers: `ERR_TPM_INTEGRITY` for altered or misdirected
 * bytes, `ERR_TPM_ATTRIBUTES` for a fixed object, `ERR_TPM_BINDING` when public and private part do not belong together.
 */
export function importDuplicateSoftware(options: ImportDuplicateSoftwareOptions): Sensitive {
  const { parent, privateKey, publicArea, innerKey, encryptedSeed } = options;
  const { hash, symmetric } = storageParameters(parent, 'parent');
  requireBytes('duplicate', options.duplicate);
  if ((publicArea.objectAttributes & (objectAttributes.fixedTpm | objectAttributes.fixedParent)) !== 0) {
    throw new TpmError(importCommand, rcObjectAttributes);
  }
  const seed = decapsulateSecret({
    recipient: parent,
    privateKey,
    label: 'DUPLICATE',
    encryptedSecret: encryptedSeed,
    command: importCommand,
  });
  const name = computeName(publicArea);
  const wrapped = unprotect({ hash, symmetric, seed, name }, options.duplicate, {
    command: importCommand,
    parameter: 3,
  });
  seed.fill(0);
  const sensitive2b =
    innerKey === undefined
      ? wrapped
      : unwrapInner(requireNameAlg(publicArea, 'publicArea'), innerKey, name, wrapped);
  const sensitive = decodeSensitive2b(sensitive2b);
  requireBinding(publicArea, sensitive);
  return sensitive;
}

/** Cipher of an inner wrapper, from the size of its key. Throws `ERR_OUT_OF_RANGE` unless that is 16, 24 or 32 bytes. */
export function innerSymmetric(innerKey: Uint8Array): SymmetricDefinition {
  requireBytes('innerKey', innerKey);
  if (![16, 24, 32].includes(innerKey.byteLength)) {
    throw new InvalidArgumentError('innerKey', 'must have 16, 24 or 32 bytes', 'ERR_OUT_OF_RANGE');
  }
  return { algorithm: 'aes', keyBits: innerKey.byteLength * 8, mode: 'cfb' };
}

function wrapInner(
  nameAlg: HashAlgorithm,
  innerKey: Uint8Array,
  name: Uint8Array,
  sensitive2b: Uint8Array,
): Uint8Array {
  const integrity = sizedBytes(digest(nameAlg, sensitive2b, name));
  return encryptCfb(innerSymmetric(innerKey), innerKey, concatBytes(integrity, sensitive2b));
}

function unwrapInner(
  nameAlg: HashAlgorithm,
  innerKey: Uint8Array,
  name: Uint8Array,
  wrapped: Uint8Array,
): Uint8Array {
  const plain = decryptCfb(innerSymmetric(innerKey), innerKey, wrapped);
  const { integrity, sensitive2b } = asImport(rcDuplicateInsufficient, () =>
    readExactly(plain, 'inner wrapper', (reader) => ({
      integrity: reader.sized('integrity', maxDigestSize),
      sensitive2b: reader.rest(),
    })),
  );
  if (!equalBytes(integrity, digest(nameAlg, sensitive2b, name))) {
    throw new TpmError(importCommand, rcDuplicateIntegrity);
  }
  return sensitive2b;
}

function decodeSensitive2b(bytes: Uint8Array): Sensitive {
  return asImport(rcSensitive, () =>
    readExactly(bytes, 'TPM2B_SENSITIVE', (reader) =>
      reader.sizedStructure('sensitiveArea', 'TPMT_SENSITIVE', readSensitive),
    ),
  );
}

/** Symmetric and HMAC keys are bound by a digest; asymmetric ones by arithmetic that this double leaves to their user. */
function requireBinding(publicArea: PublicArea, sensitive: Sensitive): void {
  if (sensitive.sensitiveType !== publicArea.type) throw new TpmError(importCommand, rcType);
  if (publicArea.type !== 'keyedHash' && publicArea.type !== 'symcipher') return;
  const nameAlg = requireNameAlg(publicArea, 'publicArea');
  const isTooLong = publicArea.type === 'keyedHash' && isLongerThanBlock(publicArea, sensitive.sensitive);
  if (sensitive.seedValue.byteLength !== digestSize(nameAlg) || isTooLong) {
    throw new TpmError(importCommand, rcKeySize);
  }
  if (!equalBytes(publicArea.unique, digest(nameAlg, sensitive.seedValue, sensitive.sensitive))) {
    throw new TpmError(importCommand, rcBinding);
  }
}

/** An HMAC key may not exceed the block of its hash. */
function isLongerThanBlock(publicArea: KeyedHashPublic, key: Uint8Array): boolean {
  return publicArea.scheme !== null && key.byteLength > hmacBlockSize(publicArea.scheme.hash);
}

function asImport<Value>(rc: number, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw new TpmError(importCommand, rc, { cause });
  }
}

function hmacBlockSize(hash: HashAlgorithm): number {
  switch (hash) {
    case 'sha384':
    case 'sha512':
      return 128;
    case 'sha3-256':
      return 136;
    case 'sha3-384':
      return 104;
    case 'sha3-512':
      return 72;
    case 'sha1':
    case 'sha256':
    case 'sm3-256':
      return 64;
    default:
      throw new InvalidArgumentError('hash', `is unknown: ${String(hash satisfies never)}`);
  }
}

// What libtpms answers.
const importCommand = 'Import';
const rcObjectAttributes = 0x2c2;
const rcDuplicateIntegrity = 0x3df;
const rcDuplicateInsufficient = 0x3da;
const rcKeySize = 0x3c7;
const rcSensitive = 0x155;
const rcType = 0x3ca;
const rcBinding = 0x0a5;
