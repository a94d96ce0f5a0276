/**
 * The activation blob: what the service sends base64-encoded as `authenticationKey`.
 *
 * Six TPM2B structures in a row, each two size bytes (big-endian) and that many
 * bytes. With RSA-2048 keys and a 32-byte HMAC key:
 *
 * | part            | TPM structure         | bytes | holds                                   |
 * |-----------------|-----------------------|-------|-----------------------------------------|
 * | idObject        | TPM2B_ID_OBJECT       | 52    | inner key, under a credential for the EK |
 * | encryptedSecret | TPM2B_ENCRYPTED_SECRET| 256   | that credential's seed, to the EK        |
 * | duplicate       | TPM2B_PRIVATE         | 142   | the HMAC key, wrapped twice              |
 * | encryptedSeed   | TPM2B_ENCRYPTED_SECRET| 256   | the outer wrapper's seed, to the SRK     |
 * | publicArea      | TPM2B_PUBLIC          | 48    | the HMAC key's public area               |
 * | encryptedUri    | TPM2B_DATA            | n     | text under the inner key; nobody reads it |
 *
 * Total 766 + n bytes; 858 to 956 in what was seen of the service.
 */
import { InvalidArgumentError } from '@endorse/interface';
import { malformed } from '../json/malformed.ts';
import { maxActivationBlobBytes } from '../limits.ts';

/** The parts of an activation blob, each without its two size bytes. */
export interface ActivationParts {
  /** TPMS_ID_OBJECT; 1 to 132 bytes. */
  readonly idObject: Uint8Array;
  /** Seed of the credential, encrypted to the endorsement key; 1 to 512 bytes. */
  readonly encryptedSecret: Uint8Array;
  /** The wrapped private part of the identity key; 1 to 1024 bytes. */
  readonly duplicate: Uint8Array;
  /** Seed of the outer wrapper, encrypted to the storage root key; 0 (no outer wrapper) to 512 bytes. */
  readonly encryptedSeed: Uint8Array;
  /** TPMT_PUBLIC of the identity key, a keyed-hash object; 1 to 256 bytes. */
  readonly publicArea: Uint8Array;
  /** Encrypted text that clients ignore; 0 to 4096 bytes. */
  readonly encryptedUri: Uint8Array;
}

/**
 * Takes an activation blob apart into copies of its six parts.
 *
 * Throws `ERR_REMOTE_TOO_LARGE` above 8 KiB and `ERR_REMOTE_MALFORMED` for a blob that is
 * truncated, has a part outside its bounds, has its parts in another order or bytes left over.
 */
export function splitActivationBlob(blob: Uint8Array): ActivationParts {
  if (blob.byteLength > maxActivationBlobBytes) {
    const problem = `has ${blob.byteLength} bytes, more than ${maxActivationBlobBytes}`;
    throw malformed(what, '$', problem, { code: 'ERR_REMOTE_TOO_LARGE' });
  }
  const parts: Partial<Record<keyof ActivationParts, Uint8Array>> = {};
  let offset = 0;
  for (const { name, minBytes, maxBytes } of layout) {
    if (offset + 2 > blob.byteLength) throw malformed(what, `$.${name}`, `is missing at byte ${offset}`);
    const size = ((blob[offset] ?? 0) << 8) | (blob[offset + 1] ?? 0);
    if (size < minBytes || size > maxBytes) {
      throw malformed(what, `$.${name}`, `declares ${size} bytes, must be ${minBytes} to ${maxBytes}`);
    }
    const end = offset + 2 + size;
    if (end > blob.byteLength) {
      throw malformed(what, `$.${name}`, `declares ${size} bytes, ${blob.byteLength - offset - 2} are left`);
    }
    parts[name] = Uint8Array.from(blob.subarray(offset + 2, end));
    offset = end;
  }
  if (offset !== blob.byteLength) {
    throw malformed(what, '$', `has ${blob.byteLength - offset} bytes after its last part`);
  }
  const complete = parts as unknown as ActivationParts;
  checkKinds(complete);
  return complete;
}

/** Puts an activation blob together. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` naming the part outside its bounds. */
export function joinActivationBlob(parts: ActivationParts): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (const { name, minBytes, maxBytes } of layout) {
    const part = parts[name];
    if (!(part instanceof Uint8Array))
      throw new InvalidArgumentError(`parts.${name}`, 'must be a Uint8Array');
    if (part.byteLength < minBytes || part.byteLength > maxBytes) {
      const problem = `must have ${minBytes} to ${maxBytes} bytes, has ${part.byteLength}`;
      throw new InvalidArgumentError(`parts.${name}`, problem, 'ERR_OUT_OF_RANGE');
    }
    chunks.push(Uint8Array.of(part.byteLength >> 8, part.byteLength & 0xff), part);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}

const what = 'activation blob';

/** TPM_ALG_KEYEDHASH, the `type` every identity key's public area starts with. */
const algKeyedHash = 0x0008;

const layout: readonly {
  readonly name: keyof ActivationParts;
  readonly minBytes: number;
  readonly maxBytes: number;
}[] = [
  { name: 'idObject', minBytes: 1, maxBytes: 132 },
  { name: 'encryptedSecret', minBytes: 1, maxBytes: 512 },
  { name: 'duplicate', minBytes: 1, maxBytes: 1024 },
  { name: 'encryptedSeed', minBytes: 0, maxBytes: 512 },
  { name: 'publicArea', minBytes: 1, maxBytes: 256 },
  { name: 'encryptedUri', minBytes: 0, maxBytes: 4096 },
];

/** Tells parts in the wrong order apart from a key the TPM refuses: the TPM would only say "integrity check failed". */
function checkKinds(parts: ActivationParts): void {
  const digestBytes = firstUint16(parts.idObject);
  if (digestBytes === 0 || digestBytes + 2 > parts.idObject.byteLength) {
    throw malformed(what, '$.idObject', 'does not begin with an integrity digest');
  }
  if (firstUint16(parts.publicArea) !== algKeyedHash) {
    throw malformed(what, '$.publicArea', 'is not the public area of a keyed-hash object');
  }
}

function firstUint16(bytes: Uint8Array): number {
  return ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
}
