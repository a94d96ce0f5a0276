import type { RandomSource } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { copyBytes } from './bytes/bytes.ts';

/** Draws bytes from a port and checks that it gave as many as asked for. */
export function drawBytes(random: RandomSource, byteLength: number): Uint8Array {
  if (typeof random?.bytes !== 'function') {
    throw new InvalidArgumentError('random', 'must be a RandomSource');
  }
  const bytes = random.bytes(byteLength);
  if (!(bytes instanceof Uint8Array) || bytes.byteLength !== byteLength) {
    throw new InvalidArgumentError('random', `did not return ${byteLength} bytes`);
  }
  return copyBytes(bytes);
}
