import { createHmac, createSecretKey, hash as oneShotHash } from 'node:crypto';
import { InvalidArgumentError } from '@endorse/interface';
import type { ByteReader } from './bytes/byte-reader.ts';
import type { ByteWriter } from './bytes/byte-writer.ts';
import { concatBytes } from './bytes/bytes.ts';

/** Hash algorithms, by the names of FIPS 180/202 and GB/T 32905 (Part 2, 6.3 TPM_ALG_ID). */
export type HashAlgorithm =
  | 'sha1'
  | 'sha256'
  | 'sha384'
  | 'sha512'
  | 'sm3-256'
  | 'sha3-256'
  | 'sha3-384'
  | 'sha3-512';

/** Elliptic curves (Part 2, 6.4 TPM_ECC_CURVE). */
export type EccCurve =
  | 'nistP192'
  | 'nistP224'
  | 'nistP256'
  | 'nistP384'
  | 'nistP521'
  | 'bnP256'
  | 'bnP638'
  | 'sm2P256';

/** TPM_ALG_NULL; in this package's data it is `null`. */
export const nullAlgorithmId = 0x0010;

/** Two-way map between the words of this package's data and the specification's 16-bit codes. */
export class CodeTable<Word extends string> {
  readonly #what: string;
  readonly #codes: ReadonlyMap<string, number>;
  readonly #words: ReadonlyMap<number, Word>;

  constructor(what: string, entries: readonly (readonly [Word, number])[]) {
    this.#what = what;
    this.#codes = new Map<string, number>(entries);
    this.#words = new Map(entries.map(([word, code]) => [code, word]));
  }

  /** The code of a word, or TPM_ALG_NULL for `null` where that is allowed. */
  codeOf(word: Word, argument: string): number {
    const code = this.#codes.get(word);
    if (code === undefined) throw new InvalidArgumentError(argument, `is not a known ${this.#what}`);
    return code;
  }

  /** The word of a code, or undefined. */
  wordOf(code: number): Word | undefined {
    return this.#words.get(code);
  }

  write(writer: ByteWriter, word: Word, argument: string): void {
    writer.u16(this.codeOf(word, argument), argument);
  }

  read(reader: ByteReader, field: string): Word {
    const code = reader.u16(field);
    return (
      this.wordOf(code) ??
      reader.fail(field, `is 0x${code.toString(16).padStart(4, '0')}, not a known ${this.#what}`, 2)
    );
  }

  writeOrNull(writer: ByteWriter, word: Word | null, argument: string): void {
    if (word === null) writer.u16(nullAlgorithmId, argument);
    else this.write(writer, word, argument);
  }

  readOrNull(reader: ByteReader, field: string): Word | null {
    const code = reader.u16(field);
    if (code === nullAlgorithmId) return null;
    return (
      this.wordOf(code) ??
      reader.fail(field, `is 0x${code.toString(16).padStart(4, '0')}, not a known ${this.#what}`, 2)
    );
  }
}

/** TPMI_ALG_HASH (Part 2, 9.27). */
export const hashAlgorithms: CodeTable<HashAlgorithm> = new CodeTable('hash algorithm', [
  ['sha1', 0x0004],
  ['sha256', 0x000b],
  ['sha384', 0x000c],
  ['sha512', 0x000d],
  ['sm3-256', 0x0012],
  ['sha3-256', 0x0027],
  ['sha3-384', 0x0028],
  ['sha3-512', 0x0029],
]);

/** TPMI_ECC_CURVE (Part 2, 11.2.5.5). */
export const eccCurves: CodeTable<EccCurve> = new CodeTable('elliptic curve', [
  ['nistP192', 0x0001],
  ['nistP224', 0x0002],
  ['nistP256', 0x0003],
  ['nistP384', 0x0004],
  ['nistP521', 0x0005],
  ['bnP256', 0x0010],
  ['bnP638', 0x0011],
  ['sm2P256', 0x0020],
]);

const digestSizes: Readonly<Record<HashAlgorithm, number>> = {
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  'sm3-256': 32,
  'sha3-256': 32,
  'sha3-384': 48,
  'sha3-512': 64,
};

/** The largest digest of any supported hash, in bytes: the limit of TPM2B_DIGEST, TPM2B_NONCE and TPM2B_AUTH. */
export const maxDigestSize = 64;

/** Size of a digest in bytes. Throws `ERR_INVALID_ARGUMENT` for an unknown hash. */
export function digestSize(hash: HashAlgorithm): number {
  hashAlgorithms.codeOf(hash, 'hash');
  return digestSizes[hash];
}

/** The name OpenSSL has for a hash. */
export function opensslHashName(hash: HashAlgorithm): string {
  hashAlgorithms.codeOf(hash, 'hash');
  return hash === 'sm3-256' ? 'sm3' : hash;
}

/** Digest of all parts in a row. */
export function digest(hash: HashAlgorithm, ...parts: readonly Uint8Array[]): Uint8Array {
  // The one-shot function takes half the time of a Hash object, and an activation blob needs some thirty digests.
  return new Uint8Array(oneShotHash(opensslHashName(hash), concatBytes(...parts), 'buffer'));
}

/** HMAC (RFC 2104) of all parts in a row. */
export function hmac(hash: HashAlgorithm, key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  // Given raw bytes, Node.js 24 first tries them as a key object, which costs three times the HMAC itself.
  const state = createHmac(opensslHashName(hash), createSecretKey(key));
  for (const part of parts) state.update(part);
  return new Uint8Array(state.digest());
}
