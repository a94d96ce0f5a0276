import { InvalidArgumentError } from '@endorse/interface';
import type { HashAlgorithm } from '../algorithms.ts';
import { CodeTable, hashAlgorithms } from '../algorithms.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';

/** TPMT_RSA_SCHEME (Part 2, 11.2.4.2): what an RSA key may be used for, if it is bound to one scheme. */
export type RsaScheme =
  | { readonly scheme: 'rsassa' | 'rsapss' | 'oaep'; readonly hash: HashAlgorithm }
  | { readonly scheme: 'rsaes' };

/** TPMT_ECC_SCHEME (Part 2, 11.2.5.6). */
export type EccScheme =
  | {
      readonly scheme: 'ecdsa' | 'sm2' | 'ecschnorr' | 'ecdh' | 'ecmqv';
      readonly hash: HashAlgorithm;
    }
  | { readonly scheme: 'ecdaa'; readonly hash: HashAlgorithm; readonly count: number };

/** Key derivation functions (Part 2, 9.32 TPMI_ALG_KDF). */
export type KdfAlgorithm = 'mgf1' | 'kdf1-sp800-56a' | 'kdf2' | 'kdf1-sp800-108';

/** TPMT_KDF_SCHEME (Part 2, 11.2.3.3). */
export interface KdfScheme {
  readonly scheme: KdfAlgorithm;
  readonly hash: HashAlgorithm;
}

/** TPMT_KEYEDHASH_SCHEME (Part 2, 11.1.21). */
export type KeyedHashScheme =
  | { readonly scheme: 'hmac'; readonly hash: HashAlgorithm }
  | { readonly scheme: 'xor'; readonly hash: HashAlgorithm; readonly kdf: KdfAlgorithm | null };

const rsaSchemes = new CodeTable<RsaScheme['scheme']>('RSA scheme', [
  ['rsassa', 0x0014],
  ['rsaes', 0x0015],
  ['rsapss', 0x0016],
  ['oaep', 0x0017],
]);
const eccSchemes = new CodeTable<EccScheme['scheme']>('ECC scheme', [
  ['ecdsa', 0x0018],
  ['ecdh', 0x0019],
  ['ecdaa', 0x001a],
  ['sm2', 0x001b],
  ['ecschnorr', 0x001c],
  ['ecmqv', 0x001d],
]);
const kdfs = new CodeTable<KdfAlgorithm>('key derivation function', [
  ['mgf1', 0x0007],
  ['kdf1-sp800-56a', 0x0020],
  ['kdf2', 0x0021],
  ['kdf1-sp800-108', 0x0022],
]);
const keyedHashSchemes = new CodeTable<KeyedHashScheme['scheme']>('keyed-hash scheme', [
  ['hmac', 0x0005],
  ['xor', 0x000a],
]);

export function writeRsaScheme(writer: ByteWriter, scheme: RsaScheme | null, argument: string): void {
  rsaSchemes.writeOrNull(writer, scheme === null ? null : scheme.scheme, `${argument}.scheme`);
  if (scheme === null || scheme.scheme === 'rsaes') return;
  hashAlgorithms.write(writer, scheme.hash, `${argument}.hash`);
}

export function readRsaScheme(reader: ByteReader, field: string): RsaScheme | null {
  const scheme = rsaSchemes.readOrNull(reader, `${field}.scheme`);
  if (scheme === null) return null;
  if (scheme === 'rsaes') return Object.freeze({ scheme });
  return Object.freeze({ scheme, hash: hashAlgorithms.read(reader, `${field}.hash`) });
}

export function writeEccScheme(writer: ByteWriter, scheme: EccScheme | null, argument: string): void {
  eccSchemes.writeOrNull(writer, scheme === null ? null : scheme.scheme, `${argument}.scheme`);
  if (scheme === null) return;
  hashAlgorithms.write(writer, scheme.hash, `${argument}.hash`);
  if (scheme.scheme === 'ecdaa') writer.u16(scheme.count, `${argument}.count`);
}

export function readEccScheme(reader: ByteReader, field: string): EccScheme | null {
  const scheme = eccSchemes.readOrNull(reader, `${field}.scheme`);
  if (scheme === null) return null;
  const hash = hashAlgorithms.read(reader, `${field}.hash`);
  if (scheme === 'ecdaa') return Object.freeze({ scheme, hash, count: reader.u16(`${field}.count`) });
  return Object.freeze({ scheme, hash });
}

export function writeKdfScheme(writer: ByteWriter, kdf: KdfScheme | null, argument: string): void {
  kdfs.writeOrNull(writer, kdf === null ? null : kdf.scheme, `${argument}.scheme`);
  if (kdf !== null) hashAlgorithms.write(writer, kdf.hash, `${argument}.hash`);
}

export function readKdfScheme(reader: ByteReader, field: string): KdfScheme | null {
  const scheme = kdfs.readOrNull(reader, `${field}.scheme`);
  if (scheme === null) return null;
  return Object.freeze({ scheme, hash: hashAlgorithms.read(reader, `${field}.hash`) });
}

export function writeKeyedHashScheme(
  writer: ByteWriter,
  scheme: KeyedHashScheme | null,
  argument: string,
): void {
  keyedHashSchemes.writeOrNull(writer, scheme === null ? null : scheme.scheme, `${argument}.scheme`);
  if (scheme === null) return;
  hashAlgorithms.write(writer, scheme.hash, `${argument}.hash`);
  switch (scheme.scheme) {
    case 'hmac':
      return;
    case 'xor':
      kdfs.writeOrNull(writer, scheme.kdf, `${argument}.kdf`);
      return;
    default:
      throw new InvalidArgumentError(argument, `is unknown: ${String(scheme satisfies never)}`);
  }
}

export function readKeyedHashScheme(reader: ByteReader, field: string): KeyedHashScheme | null {
  const scheme = keyedHashSchemes.readOrNull(reader, `${field}.scheme`);
  if (scheme === null) return null;
  const hash = hashAlgorithms.read(reader, `${field}.hash`);
  if (scheme === 'hmac') return Object.freeze({ scheme, hash });
  return Object.freeze({ scheme, hash, kdf: kdfs.readOrNull(reader, `${field}.kdf`) });
}
