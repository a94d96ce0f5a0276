/** The MAC of a PKCS#12 file: HMAC under a key of the password, RFC 7292, 4 and appendix B. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type DerReader, derTag, malformedPkcs12 } from './der.ts';
import { checkIterations, unsupportedPkcs12 } from './password-encryption.ts';

/** What a file says about its MAC. */
export interface MacData {
  readonly digestName: string;
  /** Block size of the digest, in bytes. */
  readonly blockBytes: number;
  readonly mac: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** Reads MacData. Throws `ERR_X509_PKCS12_MALFORMED` or `ERR_X509_PKCS12_UNSUPPORTED`. */
export function readMacData(macData: DerReader): MacData {
  const digestInfo = macData.enter();
  const digestAlgorithm = digestInfo.enter();
  const algorithm = digestAlgorithm.readObjectIdentifier();
  // Digests have no parameters, which some write as NULL.
  if (!digestAlgorithm.atEnd && digestAlgorithm.read(derTag.null).length > 0) {
    throw malformedPkcs12('has a digest with parameters');
  }
  digestAlgorithm.end();
  const digest = digests[algorithm];
  if (digest === undefined) throw unsupportedPkcs12(`is authenticated with ${algorithm}`);
  const mac = digestInfo.read(derTag.octetString);
  digestInfo.end();
  const salt = macData.read(derTag.octetString);
  const iterations = macData.atEnd ? 1 : checkIterations(macData.readSmallInteger());
  macData.end();
  if (mac.length === 0 || salt.length === 0) throw malformedPkcs12('has an empty MAC or salt');
  return { digestName: digest.name, blockBytes: digest.blockBytes, mac, salt, iterations };
}

/** True when `content` carries the MAC that `password` makes. Rejects with the signal's reason when it is aborted. */
export async function hasMac(
  { digestName, blockBytes, mac, salt, iterations }: MacData,
  password: Uint8Array,
  content: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  // Appendix B.2 with as many bytes wanted as the digest has: one round, nothing to carry over.
  let key = hash(
    digestName,
    Buffer.concat([
      Buffer.alloc(blockBytes, macKeyPurpose),
      repeatToBlocks(salt, blockBytes),
      repeatToBlocks(password, blockBytes),
    ]),
    'buffer',
  );
  for (let iteration = 1; iteration < iterations; iteration += 1) {
    key = hash(digestName, key, 'buffer');
    // Others get their turn, and an abort is seen.
    if (iteration % 8_192 === 0) {
      await setImmediate();
      signal?.throwIfAborted();
    }
  }
  const expected = createHmac(digestName, key).update(content).digest();
  key.fill(0);
  return expected.length === mac.length && timingSafeEqual(expected, mac);
}

/** The password as the MAC wants it: UTF-16, big-endian, with two zero bytes at its end (appendix B.1). */
export function toBmpPassword(passphrase: string): Uint8Array {
  return Buffer.from(`${passphrase}\0`, 'utf16le').swap16();
}

/** The diversifier ID of a MAC key, appendix B.3. */
const macKeyPurpose = 3;

const digests: Readonly<Record<string, { readonly name: string; readonly blockBytes: number }>> = {
  '1.3.14.3.2.26': { name: 'sha1', blockBytes: 64 },
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', blockBytes: 64 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', blockBytes: 128 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', blockBytes: 128 },
};

/** Copies of `bytes`, the last one cut, to fill as few blocks as hold it once; empty stays empty. */
function repeatToBlocks(bytes: Uint8Array, blockBytes: number): Uint8Array {
  const filled = new Uint8Array(Math.ceil(bytes.length / blockBytes) * blockBytes);
  for (let offset = 0; offset < filled.length; offset += bytes.length) {
    filled.set(bytes.subarray(0, filled.length - offset), offset);
  }
  return filled;
}
