/**
 * A reader for PKCS#12 files (RFC 7292) as OpenSSL 3 and Java 17 write them: PBES2 with
 * PBKDF2 and AES-CBC, authenticated with an HMAC under the same password.
 *
 * 1. The outer structure is read, and every algorithm in it that can be read without the password.
 * 2. The MAC is verified. Nothing that it covers is decrypted before.
 * 3. The safes are opened: certificates and the one private key. All else, such as CRLs, is skipped.
 */
import { X509IdentityError } from '../errors.ts';
import { wrongPassphrase } from '../private-key.ts';
import { DerReader, derTag, malformedPkcs12 } from './der.ts';
import type { MacData } from './mac.ts';
import { hasMac, readMacData, toBmpPassword } from './mac.ts';
import { decryptWithPassphrase, readEncryptionScheme, unsupportedPkcs12 } from './password-encryption.ts';

/** What a PKCS#12 file holds. */
export interface Pkcs12Contents {
  /** DER, in the order of the file; at least one. */
  readonly certificates: readonly Uint8Array[];
  /** DER of an unencrypted PKCS#8 structure, to be overwritten by the caller. */
  readonly privateKey: Uint8Array;
  /** True when a passphrase that is not empty protected the key. */
  readonly keyEncrypted: boolean;
}

/** Options of {@link readPkcs12}. */
export interface ReadPkcs12Options {
  /** Default none, which opens files that were exported with an empty one. */
  readonly passphrase: string | undefined;
  /** What the file is called in messages. */
  readonly title: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads certificates and private key. Rejects with `ERR_X509_PKCS12_MALFORMED`, `ERR_X509_PKCS12_UNSUPPORTED`,
 * `ERR_X509_PASSPHRASE_REQUIRED`, `ERR_X509_PASSPHRASE_WRONG`, `ERR_X509_NO_CERTIFICATE`,
 * `ERR_X509_NO_PRIVATE_KEY`, or `ERR_X509_PRIVATE_KEY_MALFORMED` when there are several.
 */
export async function readPkcs12(bytes: Uint8Array, options: ReadPkcs12Options): Promise<Pkcs12Contents> {
  const { content, macData } = readOuter(bytes);
  const safes = readSafes(content);
  await verifyMac(macData, content, options);
  const bags: Bags = { certificates: [], keys: [] };
  for (const safe of safes) {
    if (safe.scheme === undefined) {
      await readBags(new DerReader(safe.content), bags, options, 0);
      continue;
    }
    const { title, passphrase = '' } = options;
    const plaintext = await decryptWithPassphrase(safe.scheme, passphrase, safe.content, title);
    await readBags(new DerReader(plaintext), bags, options, 0);
    options.signal?.throwIfAborted();
  }
  return onlyKey(bags, options.title);
}

interface Safe {
  readonly content: Uint8Array;
  /** Absent when the safe is not encrypted as a whole. */
  readonly scheme?: ReturnType<typeof readEncryptionScheme>;
}

interface Bags {
  readonly certificates: Uint8Array[];
  readonly keys: { readonly privateKey: Uint8Array; readonly keyEncrypted: boolean }[];
}

const dataContent = '1.2.840.113549.1.7.1';
const encryptedContent = '1.2.840.113549.1.7.6';
const bagType = '1.2.840.113549.1.12.10.1';
const x509CertificateType = '1.2.840.113549.1.9.22.1';

/** Safes may nest; nobody does it more than once. */
const maxNesting = 4;

/** PFX: version 3, the authenticated safe, and its MAC (RFC 7292, 4). */
function readOuter(bytes: Uint8Array): { content: Uint8Array; macData: MacData } {
  const file = new DerReader(bytes);
  const pfx = file.enter();
  file.end();
  const version = pfx.readSmallInteger();
  if (version !== 3) throw unsupportedPkcs12(`has version ${version}`);
  const authenticatedSafe = pfx.enter();
  const type = authenticatedSafe.readObjectIdentifier();
  if (type !== dataContent) throw unsupportedPkcs12('is signed or encrypted with a public key');
  const content = authenticatedSafe.enter(derTag.explicit0).read(derTag.octetString);
  if (pfx.atEnd) throw unsupportedPkcs12('has no MAC, so that anybody may have changed it');
  const macData = readMacData(pfx.enter());
  pfx.end();
  return { content, macData };
}

/** AuthenticatedSafe: a list of safes, each plain or encrypted as a whole (RFC 7292, 4.1). */
function readSafes(content: Uint8Array): Safe[] {
  const list = new DerReader(content);
  const entries = list.enter();
  list.end();
  const safes: Safe[] = [];
  while (!entries.atEnd) {
    const entry = entries.enter();
    const type = entry.readObjectIdentifier();
    const body = entry.enter(derTag.explicit0);
    if (type === dataContent) {
      safes.push({ content: body.read(derTag.octetString) });
    } else if (type === encryptedContent) {
      const encryptedData = body.enter();
      encryptedData.readSmallInteger();
      const info = encryptedData.enter();
      info.readObjectIdentifier();
      const scheme = readEncryptionScheme(info.enter());
      safes.push({ scheme, content: info.read(derTag.implicit0) });
    } else {
      throw unsupportedPkcs12('is encrypted with a public key');
    }
  }
  return safes;
}

async function verifyMac(
  macData: MacData,
  content: Uint8Array,
  { passphrase, title, signal }: ReadPkcs12Options,
): Promise<void> {
  if (await hasMac(macData, toBmpPassword(passphrase ?? ''), content, signal)) return;
  // Without a passphrase some write an empty one with its two zero bytes, some nothing at all.
  if ((passphrase ?? '') === '' && (await hasMac(macData, new Uint8Array(), content, signal))) return;
  if (passphrase !== undefined) throw wrongPassphrase(title);
  throw new X509IdentityError('ERR_X509_PASSPHRASE_REQUIRED', `${title} needs a passphrase`, {
    remedy: 'Give the passphrase it was exported with, as a Secret.',
  });
}

/** SafeContents: a list of bags (RFC 7292, 4.2). */
async function readBags(
  safe: DerReader,
  bags: Bags,
  options: ReadPkcs12Options,
  depth: number,
): Promise<void> {
  const list = safe.enter();
  safe.end();
  while (!list.atEnd) {
    const bag = list.enter();
    const type = bag.readObjectIdentifier();
    const value = bag.enter(derTag.explicit0);
    if (type === `${bagType}.1`) {
      // PrivateKeyInfo as it is; copied, because its owner overwrites it.
      bags.keys.push({ privateKey: encodeSequence(value.read(derTag.sequence)), keyEncrypted: false });
    } else if (type === `${bagType}.2`) {
      bags.keys.push(await readShroudedKey(value, options));
    } else if (type === `${bagType}.3`) {
      const certificate = value.enter();
      if (certificate.readObjectIdentifier() !== x509CertificateType) continue;
      bags.certificates.push(certificate.enter(derTag.explicit0).read(derTag.octetString));
    } else if (type === `${bagType}.6`) {
      if (depth >= maxNesting) throw malformedPkcs12('nests its safes too deep');
      await readBags(value, bags, options, depth + 1);
    }
  }
}

/** EncryptedPrivateKeyInfo (RFC 5958, 3). */
async function readShroudedKey(
  value: DerReader,
  { passphrase = '', title, signal }: ReadPkcs12Options,
): Promise<Bags['keys'][number]> {
  const info = value.enter();
  const scheme = readEncryptionScheme(info.enter());
  const ciphertext = info.read(derTag.octetString);
  const privateKey = await decryptWithPassphrase(scheme, passphrase, ciphertext, title);
  signal?.throwIfAborted();
  return { privateKey, keyEncrypted: passphrase !== '' };
}

function encodeSequence(contents: Uint8Array): Uint8Array {
  const length = [24, 16, 8, 0].map((shift) => (contents.length >>> shift) & 0xff);
  return Uint8Array.from([derTag.sequence, 0x84, ...length, ...contents]);
}

function onlyKey({ certificates, keys }: Bags, title: string): Pkcs12Contents {
  const [key] = keys;
  if (certificates.length === 0) {
    throw new X509IdentityError('ERR_X509_NO_CERTIFICATE', `${title} holds no certificate`, {
      remedy: 'Export the certificate of the device together with its key.',
    });
  }
  if (key === undefined) {
    throw new X509IdentityError('ERR_X509_NO_PRIVATE_KEY', `${title} holds no private key`, {
      remedy: 'Export the private key together with the certificate (`openssl pkcs12 -export -inkey …`).',
    });
  }
  if (keys.length > 1) {
    for (const { privateKey } of keys) privateKey.fill(0);
    throw new X509IdentityError(
      'ERR_X509_PRIVATE_KEY_MALFORMED',
      `${title} holds ${keys.length} private keys`,
      {
        remedy: 'Export the one key of the device with its certificate and issuers.',
      },
    );
  }
  return { certificates, ...key };
}
