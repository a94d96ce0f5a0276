/**
 * Puts this package's data into the classes of tss.js, an implementation generated from the specification's tables.
 * The classes are filled field by field, so that nothing of ours decides about their bytes.
 */
import type {
  EccPublic,
  EccScheme,
  HashAlgorithm,
  KdfScheme,
  KeyedHashPublic,
  NvPublic,
  PcrSelection,
  PublicArea,
  RsaScheme,
  SessionSymmetricDefinition,
  SymmetricDefinition,
} from '@endorse/tpm2';
import * as tss from 'tss.js/lib/TpmTypes.js';

export type { ReqStructure, RespStructure } from 'tss.js/lib/TpmStructure.js';
export { tss };

const alg = tss.TPM_ALG_ID;

const hashes: Readonly<Record<HashAlgorithm, tss.TPM_ALG_ID>> = {
  sha1: alg.SHA1,
  sha256: alg.SHA256,
  sha384: alg.SHA384,
  sha512: alg.SHA512,
  'sm3-256': alg.SM3_256,
  'sha3-256': alg.SHA3_256,
  'sha3-384': alg.SHA3_384,
  'sha3-512': alg.SHA3_512,
};

export function tssHash(hash: HashAlgorithm | null): tss.TPM_ALG_ID {
  return hash === null ? alg.NULL : hashes[hash];
}

export function tssSymmetric(symmetric: SymmetricDefinition | null): tss.TPMT_SYM_DEF_OBJECT {
  if (symmetric === null) return new tss.TPMT_SYM_DEF_OBJECT(alg.NULL, 0, alg.NULL);
  const { algorithm, keyBits, mode } = symmetric;
  const algorithms = { aes: alg.AES, camellia: alg.CAMELLIA, sm4: alg.SM4, tdes: alg.TDES };
  const modes = { ctr: alg.CTR, ofb: alg.OFB, cbc: alg.CBC, cfb: alg.CFB, ecb: alg.ECB };
  return new tss.TPMT_SYM_DEF_OBJECT(algorithms[algorithm], keyBits, mode === null ? alg.NULL : modes[mode]);
}

/** TPMT_SYM_DEF; without XOR, for which tss.js writes key bits and a mode that the specification does not have. */
export function tssSessionSymmetric(symmetric: SessionSymmetricDefinition | null): tss.TPMT_SYM_DEF {
  if (symmetric === null || symmetric.algorithm === 'xor') return new tss.TPMT_SYM_DEF(alg.NULL, 0, alg.NULL);
  const { algorithm, keyBits, mode } = tssSymmetric(symmetric);
  return new tss.TPMT_SYM_DEF(algorithm, keyBits, mode);
}

export function tssPublic(area: PublicArea): tss.TPMT_PUBLIC {
  const policy = Buffer.from(area.authPolicy);
  const [parameters, unique] = partsOf(area);
  return new tss.TPMT_PUBLIC(tssHash(area.nameAlg), area.objectAttributes, policy, parameters, unique);
}

export function tssNvPublic(area: NvPublic): tss.TPMS_NV_PUBLIC {
  return new tss.TPMS_NV_PUBLIC(
    new tss.TPM_HANDLE(area.nvIndex),
    tssHash(area.nameAlg),
    area.attributes,
    Buffer.from(area.authPolicy),
    area.dataSize,
  );
}

export function tssPcrSelections(selections: readonly PcrSelection[]): tss.TPMS_PCR_SELECTION[] {
  return selections.map(({ hash, registers }) => {
    const select = Buffer.alloc(3);
    for (const register of registers)
      select.writeUInt8(select.readUInt8(register >>> 3) | (1 << (register & 7)), register >>> 3);
    return new tss.TPMS_PCR_SELECTION(tssHash(hash), select);
  });
}

function partsOf(area: PublicArea): [tss.TPMU_PUBLIC_PARMS, tss.TPMU_PUBLIC_ID] {
  switch (area.type) {
    case 'rsa':
      return [
        new tss.TPMS_RSA_PARMS(
          tssSymmetric(area.symmetric),
          rsaScheme(area.scheme),
          area.keyBits,
          area.exponent,
        ),
        new tss.TPM2B_PUBLIC_KEY_RSA(Buffer.from(area.unique)),
      ];
    case 'ecc':
      return [
        eccParameters(area),
        new tss.TPMS_ECC_POINT(Buffer.from(area.unique.x), Buffer.from(area.unique.y)),
      ];
    case 'keyedHash':
      return [
        new tss.TPMS_KEYEDHASH_PARMS(keyedHashScheme(area.scheme)),
        new tss.TPM2B_DIGEST_KEYEDHASH(Buffer.from(area.unique)),
      ];
    case 'symcipher':
      return [
        new tss.TPMS_SYMCIPHER_PARMS(tssSymmetric(area.symmetric)),
        new tss.TPM2B_DIGEST_SYMCIPHER(Buffer.from(area.unique)),
      ];
  }
}

function rsaScheme(scheme: RsaScheme | null): tss.TPMU_ASYM_SCHEME {
  switch (scheme?.scheme) {
    case undefined:
      return new tss.TPMS_NULL_ASYM_SCHEME();
    case 'rsassa':
      return new tss.TPMS_SIG_SCHEME_RSASSA(tssHash(scheme.hash));
    case 'rsapss':
      return new tss.TPMS_SIG_SCHEME_RSAPSS(tssHash(scheme.hash));
    case 'oaep':
      return new tss.TPMS_ENC_SCHEME_OAEP(tssHash(scheme.hash));
    case 'rsaes':
      return new tss.TPMS_ENC_SCHEME_RSAES();
  }
}

function eccParameters(area: EccPublic): tss.TPMS_ECC_PARMS {
  const curves = {
    nistP192: tss.TPM_ECC_CURVE.NIST_P192,
    nistP224: tss.TPM_ECC_CURVE.NIST_P224,
    nistP256: tss.TPM_ECC_CURVE.NIST_P256,
    nistP384: tss.TPM_ECC_CURVE.NIST_P384,
    nistP521: tss.TPM_ECC_CURVE.NIST_P521,
    bnP256: tss.TPM_ECC_CURVE.BN_P256,
    bnP638: tss.TPM_ECC_CURVE.BN_P638,
    sm2P256: tss.TPM_ECC_CURVE.SM2_P256,
  };
  return new tss.TPMS_ECC_PARMS(
    tssSymmetric(area.symmetric),
    eccScheme(area.scheme),
    curves[area.curveId],
    kdfScheme(area.kdf),
  );
}

function eccScheme(scheme: EccScheme | null): tss.TPMU_ASYM_SCHEME {
  switch (scheme?.scheme) {
    case undefined:
      return new tss.TPMS_NULL_ASYM_SCHEME();
    case 'ecdsa':
      return new tss.TPMS_SIG_SCHEME_ECDSA(tssHash(scheme.hash));
    case 'sm2':
      return new tss.TPMS_SIG_SCHEME_SM2(tssHash(scheme.hash));
    case 'ecschnorr':
      return new tss.TPMS_SIG_SCHEME_ECSCHNORR(tssHash(scheme.hash));
    case 'ecdh':
      return new tss.TPMS_KEY_SCHEME_ECDH(tssHash(scheme.hash));
    case 'ecmqv':
      return new tss.TPMS_KEY_SCHEME_ECMQV(tssHash(scheme.hash));
    case 'ecdaa':
      return new tss.TPMS_SIG_SCHEME_ECDAA(tssHash(scheme.hash), scheme.count);
  }
}

function kdfScheme(kdf: KdfScheme | null): tss.TPMU_KDF_SCHEME {
  switch (kdf?.scheme) {
    case undefined:
      return new tss.TPMS_NULL_KDF_SCHEME();
    case 'mgf1':
      return new tss.TPMS_KDF_SCHEME_MGF1(tssHash(kdf.hash));
    case 'kdf1-sp800-56a':
      return new tss.TPMS_KDF_SCHEME_KDF1_SP800_56A(tssHash(kdf.hash));
    case 'kdf2':
      return new tss.TPMS_KDF_SCHEME_KDF2(tssHash(kdf.hash));
    case 'kdf1-sp800-108':
      return new tss.TPMS_KDF_SCHEME_KDF1_SP800_108(tssHash(kdf.hash));
  }
}

function keyedHashScheme(scheme: KeyedHashPublic['scheme']): tss.TPMU_SCHEME_KEYEDHASH {
  switch (scheme?.scheme) {
    case undefined:
      return new tss.TPMS_NULL_SCHEME_KEYEDHASH();
    case 'hmac':
      return new tss.TPMS_SCHEME_HMAC(tssHash(scheme.hash));
    case 'xor': {
      const kdfs = {
        mgf1: alg.MGF1,
        'kdf1-sp800-56a': alg.KDF1_SP800_56A,
        kdf2: alg.KDF2,
        'kdf1-sp800-108': alg.KDF1_SP800_108,
      };
      return new tss.TPMS_SCHEME_XOR(tssHash(scheme.hash), scheme.kdf === null ? alg.NULL : kdfs[scheme.kdf]);
    }
  }
}
