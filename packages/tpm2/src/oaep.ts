import type { RandomSource } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import type { HashAlgorithm } from './algorithms.ts';
import { digest, digestSize } from './algorithms.ts';
import { concatBytes, requireBytes, u32Bytes } from './bytes/bytes.ts';
import { drawBytes } from './random.ts';

/**
 * EME-OAEP encoding (RFC 8017, 7.1.1 step 2) with MGF1 on the same hash.
 *
 * Ours, because OpenSSL takes its padding from its own random source: with this one a seeded run repeats byte for
 * byte. `label` includes its NUL where the TPM wants one. Draws one digest from `random`.
 * Throws `ERR_OUT_OF_RANGE` when the message is too long for the modulus.
 */
export function encodeOaep(
  hash: HashAlgorithm,
  modulusBytes: number,
  label: Uint8Array,
  message: Uint8Array,
  random: RandomSource,
): Uint8Array {
  const size = digestSize(hash);
  requireBytes('message', message);
  const padding = modulusBytes - message.byteLength - 2 * size - 2;
  if (padding < 0) {
    throw new InvalidArgumentError('message', 'is too long for the key', 'ERR_OUT_OF_RANGE');
  }
  const data = concatBytes(digest(hash, label), new Uint8Array(padding), Uint8Array.of(1), message);
  const seed = drawBytes(random, size);
  const maskedData = xor(data, mgf1(hash, seed, data.byteLength));
  const maskedSeed = xor(seed, mgf1(hash, maskedData, size));
  return concatBytes(Uint8Array.of(0), maskedSeed, maskedData);
}

/** MGF1 (RFC 8017, B.2.1). */
function mgf1(hash: HashAlgorithm, seed: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let counter = 0; counter * digestSize(hash) < length; counter += 1) {
    blocks.push(digest(hash, seed, u32Bytes(counter)));
  }
  return concatBytes(...blocks).subarray(0, length);
}

function xor(left: Uint8Array, right: Uint8Array): Uint8Array {
  return left.map((byte, index) => byte ^ (right[index] ?? 0));
}
