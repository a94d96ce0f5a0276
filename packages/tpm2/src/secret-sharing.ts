/**
 * How a secret travels to the holder of a storage or endorsement key (Part 1, B.10 for RSA and C.6 for ECC: Secret Sharing).
 *
 * RSA: a random seed, OAEP-encrypted with the label and its NUL. ECC: an ephemeral key, whose ECDH product with the
 * recipient's key is fed to KDFe. The label binds the purpose, so that a credential cannot be replayed as a salt.
 */
import type { KeyObject } from 'node:crypto';
import {
  constants,
  createECDH,
  diffieHellman,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto';
import type { RandomSource } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import type { HashAlgorithm } from './algorithms.ts';
import { digestSize, opensslHashName } from './algorithms.ts';
import { readExactly } from './bytes/byte-reader.ts';
import { concatBytes, requireBytes, sizedBytes, toHex } from './bytes/bytes.ts';
import { kdfe, labelBytes } from './kdf.ts';
import { encodeOaep } from './oaep.ts';
import { curveParameters, padCoordinate, publicKeyFromArea } from './public-key.ts';
import { drawBytes } from './random.ts';
import type { EccPublic, PublicArea, RsaPublic } from './structures/public-area.ts';
import { TpmError } from './tpm-error.ts';

/** What a shared secret is for: a credential, a duplicated key, or the salt of a session. */
export type SecretLabel = 'IDENTITY' | 'DUPLICATE' | 'SECRET';

/** A fresh secret and the form in which it travels. */
export interface EncapsulatedSecret {
  /** The secret: one digest of the recipient's nameAlg (of its OAEP hash, if it has one). Zero it after use. */
  readonly seed: Uint8Array;
  /** Inner bytes of TPM2B_ENCRYPTED_SECRET: the RSA ciphertext, or TPMS_ECC_POINT of the ephemeral key. */
  readonly encryptedSecret: Uint8Array;
}

/**
 * Makes a secret that only the holder of `recipient` can recover.
 * RSA draws the seed, then one digest for OAEP from `random`; ECC draws the ephemeral key.
 * Throws `ERR_INVALID_ARGUMENT` for a recipient that is not an RSA or ECC key with a nameAlg.
 */
export function encapsulateSecret(
  recipient: PublicArea,
  label: SecretLabel,
  random: RandomSource,
): EncapsulatedSecret {
  switch (recipient.type) {
    case 'rsa':
      return encapsulateRsa(recipient, label, random);
    case 'ecc':
      return encapsulateEcc(recipient, label, random);
    default:
      throw new InvalidArgumentError('recipient.type', `is ${recipient.type}, which cannot receive secrets`);
  }
}

/** What {@link decapsulateSecret} takes. */
export interface DecapsulateOptions {
  /** Public area of the recipient. */
  readonly recipient: PublicArea;
  /** Its private key; RSA or EC. */
  readonly privateKey: KeyObject;
  readonly label: SecretLabel;
  /** Inner bytes of TPM2B_ENCRYPTED_SECRET. */
  readonly encryptedSecret: Uint8Array;
  /** Command to name in the error; default `ActivateCredential`. */
  readonly command?: 'ActivateCredential' | 'Import' | 'StartAuthSession' | undefined;
}

/**
 * The recipient's side of {@link encapsulateSecret}, in software.
 * Throws the {@link TpmError} that a TPM answers: `ERR_TPM_FAILURE` for a wrong key, label or ciphertext,
 * `ERR_TPM_VALUE` for a seed of the wrong size, `ERR_TPM_SIZE` or `ERR_TPM_ECC_POINT` for a malformed secret.
 */
export function decapsulateSecret(options: DecapsulateOptions): Uint8Array {
  const { recipient, command = 'ActivateCredential' } = options;
  requireBytes('encryptedSecret', options.encryptedSecret);
  switch (recipient.type) {
    case 'rsa':
      return decapsulateRsa(recipient, command, options);
    case 'ecc':
      return decapsulateEcc(recipient, command, options);
    default:
      throw new InvalidArgumentError('recipient.type', `is ${recipient.type}, which cannot receive secrets`);
  }
}

/** The nameAlg of a key that protects others, which must be set. */
export function requireNameAlg(area: PublicArea, argument: string): HashAlgorithm {
  if (area.nameAlg === null) throw new InvalidArgumentError(`${argument}.nameAlg`, 'must not be null');
  return area.nameAlg;
}

/** Attempts to draw a valid ephemeral scalar. P-256 rejects one in 2^32, so more means a broken random source. */
const maxScalarAttempts = 16;

function encapsulateRsa(recipient: RsaPublic, label: SecretLabel, random: RandomSource): EncapsulatedSecret {
  const key = publicKeyFromArea(recipient);
  const hash = oaepHash(recipient);
  const seed = drawBytes(random, digestSize(hash));
  const encoded = encodeOaep(hash, recipient.keyBits / 8, labelBytes(label), seed, random);
  const encryptedSecret = publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
  encoded.fill(0);
  return { seed, encryptedSecret: new Uint8Array(encryptedSecret) };
}

function decapsulateRsa(recipient: RsaPublic, command: string, options: DecapsulateOptions): Uint8Array {
  const { privateKey, label, encryptedSecret } = options;
  if (encryptedSecret.byteLength !== recipient.keyBits / 8) throw secretError(command, rcSize);
  let seed: Buffer;
  try {
    seed = privateDecrypt(
      {
        key: privateKey,
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: opensslHashName(oaepHash(recipient)),
        oaepLabel: labelBytes(label),
      },
      encryptedSecret,
    );
  } catch (cause) {
    throw new TpmError(command, rcFailure, { cause });
  }
  // TPMs take a shorter seed (go-tpm makes them as long as the symmetric key), never a longer one.
  if (seed.byteLength > digestSize(oaepHash(recipient))) {
    throw secretError(command, rcValue);
  }
  return new Uint8Array(seed);
}

function encapsulateEcc(recipient: EccPublic, label: SecretLabel, random: RandomSource): EncapsulatedSecret {
  const { opensslName, fieldBytes } = curveParameters(recipient.curveId);
  publicKeyFromArea(recipient); // refuses a point that is not on the curve
  const ephemeral = createECDH(opensslName);
  ephemeral.setPrivateKey(drawScalar(recipient, random));
  const point = ephemeral.getPublicKey();
  const x = new Uint8Array(point.subarray(1, 1 + fieldBytes));
  const y = new Uint8Array(point.subarray(1 + fieldBytes));
  const recipientX = padCoordinate(recipient.unique.x, fieldBytes);
  const recipientPoint = concatBytes(
    Uint8Array.of(4),
    recipientX,
    padCoordinate(recipient.unique.y, fieldBytes),
  );
  const z = ephemeral.computeSecret(recipientPoint);
  const seed = eccSeed(recipient, label, z, x);
  z.fill(0);
  return { seed, encryptedSecret: concatBytes(sizedBytes(x), sizedBytes(y)) };
}

function decapsulateEcc(recipient: EccPublic, command: string, options: DecapsulateOptions): Uint8Array {
  const { jwkName, fieldBytes } = curveParameters(recipient.curveId);
  let ephemeralX: Uint8Array;
  let z: Buffer;
  try {
    const { x, y } = readExactly(options.encryptedSecret, 'TPMS_ECC_POINT', (reader) => ({
      x: padCoordinate(reader.sized('x', fieldBytes), fieldBytes),
      y: padCoordinate(reader.sized('y', fieldBytes), fieldBytes),
    }));
    ephemeralX = x;
    const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
    const publicKey = createPublicKey({
      key: { kty: 'EC', crv: jwkName, x: encode(x), y: encode(y) },
      format: 'jwk',
    });
    z = diffieHellman({ privateKey: options.privateKey, publicKey });
  } catch (cause) {
    throw secretError(command, rcEccPoint, cause);
  }
  const seed = eccSeed(recipient, options.label, z, ephemeralX);
  z.fill(0);
  return seed;
}

function eccSeed(
  recipient: EccPublic,
  label: SecretLabel,
  z: Uint8Array,
  ephemeralX: Uint8Array,
): Uint8Array {
  const hash = requireNameAlg(recipient, 'recipient');
  const { fieldBytes } = curveParameters(recipient.curveId);
  const recipientX = padCoordinate(recipient.unique.x, fieldBytes);
  return kdfe(hash, z, label, ephemeralX, recipientX, digestSize(hash) * 8);
}

/** The OAEP hash: that of the key's scheme where it has one, else its nameAlg (Part 1, B.4 RSAES_OAEP). */
function oaepHash(recipient: RsaPublic): HashAlgorithm {
  return recipient.scheme?.scheme === 'oaep' ? recipient.scheme.hash : requireNameAlg(recipient, 'recipient');
}

/** A private scalar from 1 to order - 1, by drawing until one fits (FIPS 186-5, A.2.2). */
function drawScalar(recipient: EccPublic, random: RandomSource): Uint8Array {
  const { fieldBytes, order } = curveParameters(recipient.curveId);
  const topByteMask = Number(order >> BigInt(8 * (fieldBytes - 1))) === 1 ? 0x01 : 0xff;
  for (let attempt = 0; attempt < maxScalarAttempts; attempt += 1) {
    const candidate = drawBytes(random, fieldBytes);
    candidate[0] = (candidate[0] ?? 0) & topByteMask;
    const value = BigInt(`0x${toHex(candidate)}`);
    if (value > 0n && value < order) return candidate;
  }
  throw new InvalidArgumentError('random', `gave no usable key in ${maxScalarAttempts} attempts`);
}

/** What libtpms answers to a failed OAEP decryption; everything else is a format-one code about the secret. */
const rcFailure = 0x101;
const rcValue = 0x084;
const rcSize = 0x095;
const rcEccPoint = 0x0a7;

/** A format-one code about the parameter that carries the secret. */
function secretError(command: string, rc: number, cause?: unknown): TpmError {
  const parameter = command === 'Import' ? 4 : 2;
  return new TpmError(command, rc | 0x40 | (parameter << 8), cause === undefined ? {} : { cause });
}
