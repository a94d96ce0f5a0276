import { ByteWriter } from './bytes/byte-writer.ts';
import { TpmDecodeError } from './errors.ts';
import type { PublicArea } from './structures/public-area.ts';
import { decodePublic } from './structures/public-area.ts';

/**
 * Reads the memory of a TPM2B_PUBLIC of an RSA key, as tpm2-tools before version 4 wrote it to files on little-endian
 * machines (seen in public reports of keys that the service refused). Undefined when the bytes are nothing of that kind.
 *
 * Offsets follow the C structure with its padding: size 0, type 4, nameAlg 6, objectAttributes 8, authPolicy 12 (64 bytes
 * of room), symmetric 80, scheme 86, keyBits 92, exponent 96, unique 100 (256 or 512 bytes of room).
 */
export function readLegacyStruct(bytes: Uint8Array): PublicArea | undefined {
  if (bytes.byteLength < minLength || bytes.byteLength > maxLength) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (offset: number): number => view.getUint16(offset, true);
  const [policySize, modulusSize] = [u16(12), u16(100)];
  // A structure without a cipher leaves its room unused, which the encoding does not have; no storage key is one.
  const isRsaStorageKey = u16(2) === 0 && u16(4) === typeRsa && u16(80) !== algNull;
  if (!isRsaStorageKey || policySize > 64 || 102 + modulusSize > bytes.byteLength) return undefined;
  const writer = new ByteWriter()
    .u16(typeRsa, 'type')
    .u16(u16(6), 'nameAlg')
    .u32(view.getUint32(8, true), 'objectAttributes')
    .sized(bytes.subarray(14, 14 + policySize), 'authPolicy')
    .u16(u16(80), 'symmetric.algorithm')
    .u16(u16(82), 'symmetric.keyBits')
    .u16(u16(84), 'symmetric.mode')
    .u16(u16(86), 'scheme')
    .u16(u16(92), 'keyBits')
    .u32(view.getUint32(96, true), 'exponent')
    .sized(bytes.subarray(102, 102 + modulusSize), 'unique');
  try {
    return decodePublic(writer.finish());
  } catch (error) {
    if (error instanceof TpmDecodeError) return undefined;
    throw error;
  }
}

const minLength = 102 + 128;
const maxLength = 1024;
const typeRsa = 0x0001;
const algNull = 0x0010;
