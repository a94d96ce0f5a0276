import { createHash } from 'node:crypto';
import type { RandomSource } from '@endorse/interface';

/** Gives the listed values in order, and insists that each is asked for in its own length and none is left unused. */
export function scriptedRandom(
  ...values: readonly Uint8Array[]
): RandomSource & { readonly left: () => number } {
  const queue = [...values];
  return {
    bytes: (byteLength) => {
      const value = queue.shift();
      if (value?.byteLength !== byteLength) {
        throw new Error(`asked for ${byteLength} bytes, scripted were ${value?.byteLength ?? 'none'}`);
      }
      return value;
    },
    left: () => queue.length,
  };
}

/** Repeatable bytes from a seed. */
export function seededRandom(seed: string): RandomSource {
  let counter = 0;
  return {
    bytes: (byteLength) => {
      const blocks: Buffer[] = [];
      for (let length = 0; length < byteLength; length += 32) {
        blocks.push(createHash('sha256').update(`${seed} ${counter++}`).digest());
      }
      return new Uint8Array(Buffer.concat(blocks).subarray(0, byteLength));
    },
  };
}
