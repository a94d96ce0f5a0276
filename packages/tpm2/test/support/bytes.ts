/** Bytes of a hexadecimal constant. */
export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Lower-case hexadecimal, which makes readable failures. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** A copy with one bit of one byte flipped. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  const index = Math.floor(bit / 8) % copy.byteLength;
  copy[index] = (copy[index] ?? 0) ^ (1 << (bit % 8));
  return copy;
}
