import { InvalidArgumentError } from '@endorse/interface';
import type { HashAlgorithm } from './algorithms.ts';
import { digest, digestSize, hmac } from './algorithms.ts';
import { concatBytes, requireBytes, u32Bytes } from './bytes/bytes.ts';

/** The longest output of either function, in bits; far above what any protocol of the TPM derives. */
const maxKdfBits = 0xffff * 8;

/**
 * KDFa (Part 1, 11.4.10.2): SP 800-108 in counter mode with HMAC as its function.
 * `label` is ASCII without its NUL; one NUL follows it in the derivation. Returns ceil(bits / 8) bytes; when `bits` is
 * no multiple of 8, the unused top bits of the first byte are zero.
 */
export function kdfa(
  hash: HashAlgorithm,
  key: Uint8Array,
  label: string,
  contextU: Uint8Array,
  contextV: Uint8Array,
  bits: number,
): Uint8Array {
  requireBytes('key', key);
  const suffix = [labelBytes(label), requireBytes('contextU', contextU), requireBytes('contextV', contextV)];
  return derive(hash, bits, (counter) => hmac(hash, key, counter, ...suffix, u32Bytes(bits)));
}

/**
 * KDFe (Part 1, 11.4.10.3): SP 800-56A concatenation with a hash.
 * `z` is the x-coordinate of the shared point, padded to the size of the field; `partyU` and `partyV` are the
 * x-coordinates of the ephemeral and the static key. Label and output as in {@link kdfa}.
 */
export function kdfe(
  hash: HashAlgorithm,
  z: Uint8Array,
  label: string,
  partyU: Uint8Array,
  partyV: Uint8Array,
  bits: number,
): Uint8Array {
  requireBytes('z', z);
  const suffix = [labelBytes(label), requireBytes('partyU', partyU), requireBytes('partyV', partyV)];
  return derive(hash, bits, (counter) => digest(hash, counter, z, ...suffix));
}

/** A label as it enters a derivation and an OAEP encoding: ASCII and one NUL. */
export function labelBytes(label: string): Uint8Array {
  if (typeof label !== 'string' || !/^[\x01-\x7f]*$/.test(label)) {
    throw new InvalidArgumentError('label', 'must be ASCII text without NUL');
  }
  return new Uint8Array(Buffer.from(`${label}\0`, 'latin1'));
}

function derive(hash: HashAlgorithm, bits: number, block: (counter: Uint8Array) => Uint8Array): Uint8Array {
  if (!Number.isInteger(bits) || bits < 0 || bits > maxKdfBits) {
    throw new InvalidArgumentError('bits', `must be an integer from 0 to ${maxKdfBits}`, 'ERR_OUT_OF_RANGE');
  }
  const length = Math.ceil(bits / 8);
  const blocks: Uint8Array[] = [];
  for (let counter = 1; (counter - 1) * digestSize(hash) < length; counter += 1) {
    blocks.push(block(u32Bytes(counter)));
  }
  const output = concatBytes(...blocks).slice(0, length);
  if (bits % 8 !== 0) output[0] = (output[0] ?? 0) & ((1 << (bits % 8)) - 1);
  return output;
}
