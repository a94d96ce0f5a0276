/** PBES2: decryption under a password, RFC 8018, 6.2 and appendix A.4. The older schemes are refused. */
import { createDecipheriv, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { X509IdentityError } from '../errors.ts';
import { wrongPassphrase } from '../private-key.ts';
import { type DerReader, derTag, exportAgain, malformedPkcs12 } from './der.ts';

/** Most iterations of a key derivation: a second or so, where OpenSSL writes 2,048. More is a file that wants to keep us busy. */
export const maxIterations = 1_000_000;

/** Returns an iteration count; throws `ERR_X509_PKCS12_MALFORMED` for 0 and `ERR_X509_PKCS12_UNSUPPORTED` for too many. */
export function checkIterations(iterations: number): number {
  if (iterations === 0) throw malformedPkcs12('derives its key in no iterations');
  if (iterations > maxIterations) {
    throw unsupportedPkcs12(`derives its key in ${iterations} iterations, more than ${maxIterations}`);
  }
  return iterations;
}

/** How something is encrypted, read from its AlgorithmIdentifier. */
export interface EncryptionScheme {
  readonly prf: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly cipher: string;
  /** Of the key, in bytes. */
  readonly keyBytes: number;
  readonly initializationVector: Uint8Array;
}

/** Reads the AlgorithmIdentifier of an encryption. Throws `ERR_X509_PKCS12_UNSUPPORTED` for anything but PBES2 with PBKDF2 and AES-CBC. */
export function readEncryptionScheme(algorithm: DerReader): EncryptionScheme {
  const scheme = algorithm.readObjectIdentifier();
  if (scheme !== pbes2) throw unsupportedPkcs12(`is encrypted with ${legacySchemes[scheme] ?? scheme}`);
  const parameters = algorithm.enter();
  algorithm.end();
  const derivation = parameters.enter();
  const derivationName = derivation.readObjectIdentifier();
  if (derivationName !== pbkdf2Identifier) throw unsupportedPkcs12(`derives its key with ${derivationName}`);
  const derivationParameters = derivation.enter();
  const salt = derivationParameters.read(derTag.octetString);
  const iterations = checkIterations(derivationParameters.readSmallInteger());
  const statedKeyBytes =
    derivationParameters.nextTag === derTag.integer ? derivationParameters.readSmallInteger() : undefined;
  // The default of the specification, when none is stated, is HMAC with SHA-1.
  const prfName = derivationParameters.atEnd
    ? '1.2.840.113549.2.7'
    : derivationParameters.enter().readObjectIdentifier();
  const prf = prfs[prfName];
  if (prf === undefined) throw unsupportedPkcs12(`derives its key with ${prfName}`);

  const encryption = parameters.enter();
  const cipherName = encryption.readObjectIdentifier();
  const cipher = ciphers[cipherName];
  if (cipher === undefined) throw unsupportedPkcs12(`is encrypted with ${cipherName}`);
  const initializationVector = encryption.read(derTag.octetString);
  if (initializationVector.length !== 16)
    throw malformedPkcs12('has an initialization vector of a wrong length');
  if (statedKeyBytes !== undefined && statedKeyBytes !== cipher.keyBytes) {
    throw malformedPkcs12('states a length of the key that its cipher does not have');
  }
  return {
    prf,
    salt,
    iterations,
    cipher: cipher.name,
    keyBytes: cipher.keyBytes,
    initializationVector,
  };
}

/** Decrypts what is encrypted under a passphrase. Rejects with `ERR_X509_PASSPHRASE_WRONG` when the padding is wrong. */
export async function decryptWithPassphrase(
  scheme: EncryptionScheme,
  passphrase: string,
  ciphertext: Uint8Array,
  title: string,
): Promise<Uint8Array> {
  const { salt, iterations, keyBytes, prf, cipher, initializationVector } = scheme;
  const key = await deriveKey(passphrase, salt, iterations, keyBytes, prf);
  try {
    const decipher = createDecipheriv(cipher, key, initializationVector);
    const head = decipher.update(ciphertext);
    const plaintext = Buffer.concat([head, decipher.final()]);
    head.fill(0);
    return plaintext;
  } catch (cause) {
    throw wrongPassphrase(title, cause);
  } finally {
    key.fill(0);
  }
}

/** The error for what is PKCS#12, but not of the kind that is read here. */
export function unsupportedPkcs12(problem: string): X509IdentityError {
  return new X509IdentityError('ERR_X509_PKCS12_UNSUPPORTED', `the PKCS#12 file ${problem}`, {
    remedy: exportAgain,
  });
}

const deriveKey = promisify(pbkdf2);

const pbes2 = '1.2.840.113549.1.5.13';
const pbkdf2Identifier = '1.2.840.113549.1.5.12';

const prfs: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

const ciphers: Readonly<Record<string, { readonly name: string; readonly keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
};

/** The schemes of PKCS#12 itself (RFC 7292, appendix C), all broken or worn out; by name, for messages. */
const legacySchemes: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.12.1.1': 'the legacy 128-bit RC4',
  '1.2.840.113549.1.12.1.2': 'the legacy 40-bit RC4',
  '1.2.840.113549.1.12.1.3': 'the legacy PBE-SHA1-3DES',
  '1.2.840.113549.1.12.1.4': 'the legacy PBE-SHA1-2DES',
  '1.2.840.113549.1.12.1.5': 'the legacy 128-bit RC2',
  '1.2.840.113549.1.12.1.6': 'the legacy 40-bit RC2',
};
