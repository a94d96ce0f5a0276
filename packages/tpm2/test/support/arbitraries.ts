import type {
  EccCurve,
  EccScheme,
  HashAlgorithm,
  KdfScheme,
  KeyedHashScheme,
  NvPublic,
  PcrSelection,
  PublicArea,
  RsaScheme,
  SessionSymmetricDefinition,
  SymmetricDefinition,
} from '@endorse/tpm2';
import fc from 'fast-check';

export function bytes(minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength, maxLength });
}

export const u8: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xff });
export const u16: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xffff });
export const u32: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xffff_ffff });
export const u64: fc.Arbitrary<bigint> = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

export const hash: fc.Arbitrary<HashAlgorithm> = fc.constantFrom(
  'sha1',
  'sha256',
  'sha384',
  'sha512',
  'sm3-256',
  'sha3-256',
  'sha3-384',
  'sha3-512',
);

/** The hashes every OpenSSL build has. */
export const commonHash: fc.Arbitrary<HashAlgorithm> = fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512');

export const symmetric: fc.Arbitrary<SymmetricDefinition> = fc.record({
  algorithm: fc.constantFrom('aes', 'camellia'),
  keyBits: fc.constantFrom(128, 192, 256),
  mode: fc.constantFrom('ctr', 'ofb', 'cbc', 'cfb', 'ecb', null),
});

export const sessionSymmetric: fc.Arbitrary<SessionSymmetricDefinition> = fc.oneof(
  symmetric,
  fc.record({ algorithm: fc.constant('xor'), hash }),
);

const digestBytes = bytes(0, 64);
const rsaScheme: fc.Arbitrary<RsaScheme> = fc.oneof(
  fc.record({ scheme: fc.constantFrom('rsassa', 'rsapss', 'oaep'), hash }),
  fc.record({ scheme: fc.constant('rsaes') }),
);
const eccScheme: fc.Arbitrary<EccScheme> = fc.oneof(
  fc.record({ scheme: fc.constantFrom('ecdsa', 'sm2', 'ecschnorr', 'ecdh', 'ecmqv'), hash }),
  fc.record({ scheme: fc.constant('ecdaa'), hash, count: u16 }),
);
const kdf = fc.constantFrom('mgf1', 'kdf1-sp800-56a', 'kdf2', 'kdf1-sp800-108');
const kdfScheme: fc.Arbitrary<KdfScheme> = fc.record({ scheme: kdf, hash });
const keyedHashScheme: fc.Arbitrary<KeyedHashScheme> = fc.oneof(
  fc.record({ scheme: fc.constant('hmac'), hash }),
  fc.record({ scheme: fc.constant('xor'), hash, kdf: fc.option(kdf) }),
);
const curveId: fc.Arbitrary<EccCurve> = fc.constantFrom(
  'nistP192',
  'nistP224',
  'nistP256',
  'nistP384',
  'nistP521',
  'bnP256',
  'bnP638',
  'sm2P256',
);

const base = { nameAlg: fc.option(hash), objectAttributes: u32, authPolicy: digestBytes };

/** Any public area of the four types. */
export const publicArea: fc.Arbitrary<PublicArea> = fc.oneof(
  fc.record({
    type: fc.constant('rsa'),
    ...base,
    symmetric: fc.option(symmetric),
    scheme: fc.option(rsaScheme),
    keyBits: fc.constantFrom(1024, 2048, 3072, 4096),
    exponent: u32,
    unique: bytes(0, 512),
  }),
  fc.record({
    type: fc.constant('ecc'),
    ...base,
    symmetric: fc.option(symmetric),
    scheme: fc.option(eccScheme),
    curveId,
    kdf: fc.option(kdfScheme),
    unique: fc.record({ x: bytes(0, 128), y: bytes(0, 128) }),
  }),
  fc.record({
    type: fc.constant('keyedHash'),
    ...base,
    scheme: fc.option(keyedHashScheme),
    unique: digestBytes,
  }),
  fc.record({
    type: fc.constant('symcipher'),
    ...base,
    symmetric: fc.option(symmetric),
    unique: digestBytes,
  }),
);

export const nvPublic: fc.Arbitrary<NvPublic> = fc.record({
  nvIndex: u32,
  nameAlg: hash,
  attributes: u32,
  authPolicy: digestBytes,
  dataSize: u16,
});

export const pcrSelections: fc.Arbitrary<readonly PcrSelection[]> = fc.array(
  fc.record({
    hash,
    registers: fc
      .uniqueArray(fc.integer({ min: 0, max: 23 }), { maxLength: 24 })
      .map((registers) => registers.toSorted((left, right) => left - right)),
  }),
  { maxLength: 4 },
);
