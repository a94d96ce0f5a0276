import type { HashAlgorithm } from '../algorithms.ts';
import { hashAlgorithms, maxDigestSize } from '../algorithms.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import { readExactly } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';

/** TPMS_NV_PUBLIC (Part 2, 13.5): what an NV index is and how large. */
export interface NvPublic {
  /** Handle of the index, 0x01000000 to 0x01FFFFFF. */
  readonly nvIndex: number;
  readonly nameAlg: HashAlgorithm;
  /** TPMA_NV bits; see `nvAttributes`. */
  readonly attributes: number;
  /** Policy digest, or empty. */
  readonly authPolicy: Uint8Array;
  /** Size of the data, in bytes. */
  readonly dataSize: number;
}

/** TPMA_NV (Part 2, 13.4): the single-bit attributes, as bits of a 32-bit integer. */
export const nvAttributes = {
  ppWrite: 0x0000_0001,
  ownerWrite: 0x0000_0002,
  authWrite: 0x0000_0004,
  policyWrite: 0x0000_0008,
  policyDelete: 0x0000_0400,
  writeLocked: 0x0000_0800,
  writeAll: 0x0000_1000,
  writeDefine: 0x0000_2000,
  writeStClear: 0x0000_4000,
  globalLock: 0x0000_8000,
  ppRead: 0x0001_0000,
  ownerRead: 0x0002_0000,
  authRead: 0x0004_0000,
  policyRead: 0x0008_0000,
  noDa: 0x0200_0000,
  orderly: 0x0400_0000,
  clearStClear: 0x0800_0000,
  readLocked: 0x1000_0000,
  written: 0x2000_0000,
  platformCreate: 0x4000_0000,
  readStClear: 0x8000_0000,
} as const;

/** Encodes TPMS_NV_PUBLIC. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function encodeNvPublic(area: NvPublic): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(area.nvIndex, 'nvIndex');
  hashAlgorithms.write(writer, area.nameAlg, 'nameAlg');
  writer.u32(area.attributes, 'attributes').sized(area.authPolicy, 'authPolicy', maxDigestSize);
  return writer.u16(area.dataSize, 'dataSize').finish();
}

/** Decodes TPMS_NV_PUBLIC; nothing may follow. Throws `ERR_TPM_MALFORMED`. */
export function decodeNvPublic(bytes: Uint8Array): NvPublic {
  return readExactly(bytes, 'TPMS_NV_PUBLIC', readNvPublic);
}

/** Reads TPMS_NV_PUBLIC. */
export function readNvPublic(reader: ByteReader): NvPublic {
  return Object.freeze({
    nvIndex: reader.u32('nvIndex'),
    nameAlg: hashAlgorithms.read(reader, 'nameAlg'),
    attributes: reader.u32('attributes'),
    authPolicy: reader.sized('authPolicy', maxDigestSize),
    dataSize: reader.u16('dataSize'),
  });
}
