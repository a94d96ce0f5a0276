import { digest, hashAlgorithms } from './algorithms.ts';
import { concatBytes, emptyBytes, u16Bytes, u32Bytes } from './bytes/bytes.ts';
import { requireUnsigned } from './bytes/bytes.ts';
import type { NvPublic } from './structures/nv-public.ts';
import { encodeNvPublic } from './structures/nv-public.ts';
import type { PublicArea } from './structures/public-area.ts';
import { decodePublic, encodePublic } from './structures/public-area.ts';

/**
 * Name of an object: nameAlg ‖ H(TPMT_PUBLIC), empty when its nameAlg is TPM_ALG_NULL (Part 1, 16).
 * Takes a decoded area, or TPMT_PUBLIC bytes (without the TPM2B size). Throws `ERR_TPM_MALFORMED` for other bytes.
 */
export function computeName(area: PublicArea | Uint8Array): Uint8Array {
  if (area instanceof Uint8Array) return nameOf(decodePublic(area).nameAlg, area);
  return nameOf(area.nameAlg, encodePublic(area));
}

/** Name of an NV index: nameAlg ‖ H(TPMS_NV_PUBLIC) (Part 1, 16). It changes when the index is first written. */
export function computeNvName(area: NvPublic): Uint8Array {
  return nameOf(area.nameAlg, encodeNvPublic(area));
}

/** Name of a permanent entity, a PCR or a session: its handle, 4 bytes (Part 1, 16). */
export function handleName(handle: number): Uint8Array {
  return u32Bytes(requireUnsigned('handle', handle, 32));
}

function nameOf(nameAlg: PublicArea['nameAlg'], bytes: Uint8Array): Uint8Array {
  if (nameAlg === null) return emptyBytes;
  return concatBytes(u16Bytes(hashAlgorithms.codeOf(nameAlg, 'nameAlg')), digest(nameAlg, bytes));
}
