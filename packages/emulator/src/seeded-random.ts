import { createHash } from 'node:crypto';
import type { RandomSource } from '@endorse/interface';

/**
 * Makes a source of bytes that is the same for the same seed: SHA-256 over the seed and a counter. For tests that want
 * every key, blob, id and etag to repeat; whoever knows the seed knows every key that comes of it.
 */
export function createSeededRandom(seed: string): RandomSource {
  let counter = 0;
  return {
    bytes: (byteLength) => {
      const chunks: Buffer[] = [];
      for (let bytes = 0; bytes < byteLength; bytes += 32) {
        counter += 1;
        chunks.push(createHash('sha256').update(`${seed} ${counter}`).digest());
      }
      return Uint8Array.from(Buffer.concat(chunks).subarray(0, byteLength));
    },
  };
}
