import type { HashAlgorithm } from '../algorithms.ts';
import { hashAlgorithms, maxDigestSize } from '../algorithms.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import type { PcrSelection } from './pcr-selection.ts';
import { readPcrSelections } from './pcr-selection.ts';

/** TPMS_CREATION_DATA (Part 2, 15.1): the circumstances under which a key was made. */
export interface CreationData {
  readonly pcrSelect: readonly PcrSelection[];
  readonly pcrDigest: Uint8Array;
  /** Locality bits at creation. */
  readonly locality: number;
  /** nameAlg of the parent; `null` for a primary key. */
  readonly parentNameAlg: HashAlgorithm | null;
  readonly parentName: Uint8Array;
  readonly parentQualifiedName: Uint8Array;
  readonly outsideInfo: Uint8Array;
}

/** The largest Name, in bytes: an algorithm and a digest. */
export const maxNameSize: number = 2 + maxDigestSize;

/** Reads TPMS_CREATION_DATA. */
export function readCreationData(reader: ByteReader): CreationData {
  return Object.freeze({
    pcrSelect: readPcrSelections(reader, 'pcrSelect'),
    pcrDigest: reader.sized('pcrDigest', maxDigestSize),
    locality: reader.u8('locality'),
    parentNameAlg: hashAlgorithms.readOrNull(reader, 'parentNameAlg'),
    parentName: reader.sized('parentName', maxNameSize),
    parentQualifiedName: reader.sized('parentQualifiedName', maxNameSize),
    outsideInfo: reader.sized('outsideInfo'),
  });
}
