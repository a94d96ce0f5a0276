import { InvalidArgumentError } from '@endorse/interface';
import type { HashAlgorithm } from '../algorithms.ts';
import { CodeTable, hashAlgorithms, nullAlgorithmId } from '../algorithms.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';

/** Block ciphers (Part 2, 9.30 TPMI_ALG_SYM_OBJECT). */
export type BlockCipher = 'tdes' | 'aes' | 'sm4' | 'camellia';

/** Modes of a block cipher (Part 2, 9.31 TPMI_ALG_SYM_MODE). */
export type BlockCipherMode = 'ctr' | 'ofb' | 'cbc' | 'cfb' | 'ecb';

/** TPMT_SYM_DEF_OBJECT (Part 2, 11.1.7): cipher, key size in bits and mode of a key that protects other keys. */
export interface SymmetricDefinition {
  readonly algorithm: BlockCipher;
  /** Key size in bits: 128, 192 or 256, as far as the cipher has it. */
  readonly keyBits: number;
  /** `null` leaves the mode open; a storage key has `cfb`. */
  readonly mode: BlockCipherMode | null;
}

/** XOR obfuscation of session parameters, with the hash its mask is made with. */
export interface XorDefinition {
  readonly algorithm: 'xor';
  readonly hash: HashAlgorithm;
}

/** TPMT_SYM_DEF (Part 2, 11.1.6): what a session encrypts parameters with. */
export type SessionSymmetricDefinition = SymmetricDefinition | XorDefinition;

/** AES-128-CFB, which every TPM has. */
export const aes128Cfb: SymmetricDefinition = Object.freeze({ algorithm: 'aes', keyBits: 128, mode: 'cfb' });

const xorId = 0x000a;
const ciphers = new CodeTable<BlockCipher>('block cipher', [
  ['tdes', 0x0003],
  ['aes', 0x0006],
  ['sm4', 0x0013],
  ['camellia', 0x0026],
]);
const modes = new CodeTable<BlockCipherMode>('cipher mode', [
  ['ctr', 0x0040],
  ['ofb', 0x0041],
  ['cbc', 0x0042],
  ['cfb', 0x0043],
  ['ecb', 0x0044],
]);
const keySizes: Readonly<Record<BlockCipher, readonly number[]>> = {
  tdes: [128, 192],
  aes: [128, 192, 256],
  sm4: [128],
  camellia: [128, 192, 256],
};

/** Writes TPMT_SYM_DEF_OBJECT; `null` is TPM_ALG_NULL. */
export function writeSymmetric(
  writer: ByteWriter,
  symmetric: SymmetricDefinition | null,
  argument: string,
): void {
  if (symmetric === null) {
    writer.u16(nullAlgorithmId, argument);
    return;
  }
  ciphers.write(writer, symmetric.algorithm, `${argument}.algorithm`);
  if (!keySizes[symmetric.algorithm].includes(symmetric.keyBits)) {
    throw new InvalidArgumentError(
      `${argument}.keyBits`,
      `is not a key size of ${symmetric.algorithm}`,
      'ERR_OUT_OF_RANGE',
    );
  }
  writer.u16(symmetric.keyBits, `${argument}.keyBits`);
  modes.writeOrNull(writer, symmetric.mode, `${argument}.mode`);
}

/** Reads TPMT_SYM_DEF_OBJECT. */
export function readSymmetric(reader: ByteReader, field: string): SymmetricDefinition | null {
  const algorithm = ciphers.readOrNull(reader, `${field}.algorithm`);
  return algorithm === null ? null : readCipher(reader, field, algorithm);
}

/** Writes TPMT_SYM_DEF; `null` is TPM_ALG_NULL. */
export function writeSessionSymmetric(
  writer: ByteWriter,
  symmetric: SessionSymmetricDefinition | null,
  argument: string,
): void {
  if (symmetric === null || symmetric.algorithm !== 'xor') {
    writeSymmetric(writer, symmetric, argument);
    return;
  }
  writer.u16(xorId, argument);
  hashAlgorithms.write(writer, symmetric.hash, `${argument}.hash`);
}

function readCipher(reader: ByteReader, field: string, algorithm: BlockCipher): SymmetricDefinition {
  const keyBits = reader.u16(`${field}.keyBits`);
  if (!keySizes[algorithm].includes(keyBits)) {
    reader.fail(`${field}.keyBits`, `is ${keyBits}, not a key size of ${algorithm}`, 2);
  }
  return Object.freeze({ algorithm, keyBits, mode: modes.readOrNull(reader, `${field}.mode`) });
}
