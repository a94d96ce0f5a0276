import type { HashAlgorithm } from '../algorithms.ts';
import { digest, digestSize } from '../algorithms.ts';
import { concatBytes, emptyBytes, requireUnsigned, u32Bytes } from '../bytes/bytes.ts';

/** Policy digest after PolicySecret (Part 3, 23.2.3 and 23.4): extends `start` (default all zeros). */
export function policySecretDigest(
  hash: HashAlgorithm,
  objectName: Uint8Array,
  policyRef: Uint8Array = emptyBytes,
  start: Uint8Array = new Uint8Array(digestSize(hash)),
): Uint8Array {
  return digest(hash, digest(hash, start, u32Bytes(0x151), objectName), policyRef);
}

/** Policy digest after PolicyCommandCode (Part 3, 23.11): extends `start` (default all zeros). */
export function policyCommandCodeDigest(
  hash: HashAlgorithm,
  commandCode: number,
  start: Uint8Array = new Uint8Array(digestSize(hash)),
): Uint8Array {
  const code = u32Bytes(requireUnsigned('commandCode', commandCode, 32));
  return digest(hash, concatBytes(start, u32Bytes(0x16c), code));
}
