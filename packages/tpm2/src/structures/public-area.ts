import { InvalidArgumentError } from '@endorse/interface';
import type { EccCurve, HashAlgorithm } from '../algorithms.ts';
import { CodeTable, eccCurves, hashAlgorithms, maxDigestSize } from '../algorithms.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import { readExactly } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { sizedBytes } from '../bytes/bytes.ts';
import type { EccScheme, KdfScheme, KeyedHashScheme, RsaScheme } from './schemes.ts';
import {
  readEccScheme,
  readKdfScheme,
  readKeyedHashScheme,
  readRsaScheme,
  writeEccScheme,
  writeKdfScheme,
  writeKeyedHashScheme,
  writeRsaScheme,
} from './schemes.ts';
import type { SymmetricDefinition } from './symmetric.ts';
import { readSymmetric, writeSymmetric } from './symmetric.ts';

/** What every public area has. `null` stands for TPM_ALG_NULL wherever an algorithm may be absent. */
export interface PublicAreaBase {
  /** Hash of the Name; `null` only for objects that are never used as a Name's source. */
  readonly nameAlg: HashAlgorithm | null;
  /** TPMA_OBJECT bits; see `objectAttributes`. Bits this package has no name for are kept. */
  readonly objectAttributes: number;
  /** Policy digest, or empty. */
  readonly authPolicy: Uint8Array;
}

/** Public area of an RSA key. */
export interface RsaPublic extends PublicAreaBase {
  readonly type: 'rsa';
  /** Cipher that protects children; `null` for a key that is no parent. */
  readonly symmetric: SymmetricDefinition | null;
  readonly scheme: RsaScheme | null;
  /** Modulus size in bits: 1024, 2048, 3072 or 4096. */
  readonly keyBits: number;
  /** Public exponent; 0 stands for 65537. */
  readonly exponent: number;
  /** Modulus, most significant byte first; in a template, input of the key derivation. */
  readonly unique: Uint8Array;
}

/** A point, or in a template input of the key derivation. Coordinates are most significant byte first. */
export interface EccPoint {
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

/** Public area of an elliptic-curve key. */
export interface EccPublic extends PublicAreaBase {
  readonly type: 'ecc';
  /** Cipher that protects children; `null` for a key that is no parent. */
  readonly symmetric: SymmetricDefinition | null;
  readonly scheme: EccScheme | null;
  readonly curveId: EccCurve;
  readonly kdf: KdfScheme | null;
  readonly unique: EccPoint;
}

/** Public area of an HMAC key, an XOR key or a sealed blob. */
export interface KeyedHashPublic extends PublicAreaBase {
  readonly type: 'keyedHash';
  readonly scheme: KeyedHashScheme | null;
  /** Digest that binds the public to the sensitive area. */
  readonly unique: Uint8Array;
}

/** Public area of a symmetric key. */
export interface SymcipherPublic extends PublicAreaBase {
  readonly type: 'symcipher';
  readonly symmetric: SymmetricDefinition | null;
  /** Digest that binds the public to the sensitive area. */
  readonly unique: Uint8Array;
}

/** TPMT_PUBLIC (Part 2, 12.2.4), discriminated by `type`. */
export type PublicArea = RsaPublic | EccPublic | KeyedHashPublic | SymcipherPublic;

/** The largest modulus, in bytes (4096 bits). */
export const maxRsaKeyBytes = 512;
/** The largest coordinate, in bytes (`TPM2B_ECC_PARAMETER` as current stacks declare it). */
export const maxEccCoordinateBytes = 128;

const rsaKeySizes: readonly number[] = [1024, 2048, 3072, 4096];
const objectTypes = new CodeTable<PublicArea['type']>('object type', [
  ['rsa', 0x0001],
  ['keyedHash', 0x0008],
  ['ecc', 0x0023],
  ['symcipher', 0x0025],
]);

/** Encodes TPMT_PUBLIC. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for a value without encoding. */
export function encodePublic(area: PublicArea): Uint8Array {
  const writer = new ByteWriter();
  writePublic(writer, area);
  return writer.finish();
}

/** Encodes TPM2B_PUBLIC: the area behind its 16-bit size. Throws as {@link encodePublic}. */
export function encodeTpm2bPublic(area: PublicArea): Uint8Array {
  return sizedBytes(encodePublic(area));
}

/** Decodes TPMT_PUBLIC; nothing may follow. Throws `ERR_TPM_MALFORMED`. */
export function decodePublic(bytes: Uint8Array): PublicArea {
  return readExactly(bytes, 'TPMT_PUBLIC', readPublic);
}

/** Decodes TPM2B_PUBLIC; nothing may follow, and the size must be exact. Throws `ERR_TPM_MALFORMED`. */
export function decodeTpm2bPublic(bytes: Uint8Array): PublicArea {
  return readExactly(bytes, 'TPM2B_PUBLIC', readTpm2bPublic);
}

/** Reads a TPM2B_PUBLIC inside a larger structure. */
export function readTpm2bPublic(reader: ByteReader): PublicArea {
  return reader.sizedStructure('publicArea', 'TPMT_PUBLIC', readPublic);
}

/** Writes TPMT_PUBLIC. */
export function writePublic(writer: ByteWriter, area: PublicArea): void {
  objectTypes.write(writer, area.type, 'type');
  hashAlgorithms.writeOrNull(writer, area.nameAlg, 'nameAlg');
  writer.u32(area.objectAttributes, 'objectAttributes');
  writer.sized(area.authPolicy, 'authPolicy', maxDigestSize);
  switch (area.type) {
    case 'rsa':
      writeSymmetric(writer, area.symmetric, 'symmetric');
      writeRsaScheme(writer, area.scheme, 'scheme');
      if (!rsaKeySizes.includes(area.keyBits)) {
        throw new InvalidArgumentError('keyBits', 'must be 1024, 2048, 3072 or 4096', 'ERR_OUT_OF_RANGE');
      }
      writer.u16(area.keyBits, 'keyBits').u32(area.exponent, 'exponent');
      writer.sized(area.unique, 'unique', maxRsaKeyBytes);
      return;
    case 'ecc':
      writeSymmetric(writer, area.symmetric, 'symmetric');
      writeEccScheme(writer, area.scheme, 'scheme');
      eccCurves.write(writer, area.curveId, 'curveId');
      writeKdfScheme(writer, area.kdf, 'kdf');
      writer.sized(area.unique.x, 'unique.x', maxEccCoordinateBytes);
      writer.sized(area.unique.y, 'unique.y', maxEccCoordinateBytes);
      return;
    case 'keyedHash':
      writeKeyedHashScheme(writer, area.scheme, 'scheme');
      writer.sized(area.unique, 'unique', maxDigestSize);
      return;
    case 'symcipher':
      writeSymmetric(writer, area.symmetric, 'symmetric');
      writer.sized(area.unique, 'unique', maxDigestSize);
      return;
    default:
      throw new InvalidArgumentError('type', `is unknown: ${String(area satisfies never)}`);
  }
}

/** Reads TPMT_PUBLIC. */
export function readPublic(reader: ByteReader): PublicArea {
  const type = objectTypes.read(reader, 'type');
  const base: PublicAreaBase = {
    nameAlg: hashAlgorithms.readOrNull(reader, 'nameAlg'),
    objectAttributes: reader.u32('objectAttributes'),
    authPolicy: reader.sized('authPolicy', maxDigestSize),
  };
  switch (type) {
    case 'rsa':
      return Object.freeze({
        type,
        ...base,
        symmetric: readSymmetric(reader, 'symmetric'),
        scheme: readRsaScheme(reader, 'scheme'),
        keyBits: readRsaKeyBits(reader),
        exponent: reader.u32('exponent'),
        unique: reader.sized('unique', maxRsaKeyBytes),
      });
    case 'ecc':
      return Object.freeze({
        type,
        ...base,
        symmetric: readSymmetric(reader, 'symmetric'),
        scheme: readEccScheme(reader, 'scheme'),
        curveId: eccCurves.read(reader, 'curveId'),
        kdf: readKdfScheme(reader, 'kdf'),
        unique: Object.freeze({
          x: reader.sized('unique.x', maxEccCoordinateBytes),
          y: reader.sized('unique.y', maxEccCoordinateBytes),
        }),
      });
    case 'keyedHash':
      return Object.freeze({
        type,
        ...base,
        scheme: readKeyedHashScheme(reader, 'scheme'),
        unique: reader.sized('unique', maxDigestSize),
      });
    case 'symcipher':
      return Object.freeze({
        type,
        ...base,
        symmetric: readSymmetric(reader, 'symmetric'),
        unique: reader.sized('unique', maxDigestSize),
      });
    default:
      return reader.fail('type', `is unknown: ${String(type satisfies never)}`);
  }
}

function readRsaKeyBits(reader: ByteReader): number {
  const keyBits = reader.u16('keyBits');
  if (!rsaKeySizes.includes(keyBits)) {
    reader.fail('keyBits', `is ${keyBits}, not 1024, 2048, 3072 or 4096`, 2);
  }
  return keyBits;
}
