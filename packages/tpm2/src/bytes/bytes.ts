import { InvalidArgumentError } from '@endorse/interface';

/** A buffer of no bytes; the specification's Empty Buffer. */
export const emptyBytes: Uint8Array = new Uint8Array(0);

/** Checks that an argument is bytes, and at most (or exactly) so many. */
export function requireBytes(
  argument: string,
  value: unknown,
  limits: { readonly minimum?: number; readonly maximum?: number } = {},
): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new InvalidArgumentError(argument, 'must be a Uint8Array');
  const { minimum = 0, maximum = Number.POSITIVE_INFINITY } = limits;
  if (value.byteLength < minimum || value.byteLength > maximum) {
    const range = minimum === maximum ? `${minimum}` : `${minimum} to ${maximum}`;
    throw new InvalidArgumentError(
      argument,
      `must have ${range} bytes, not ${value.byteLength}`,
      'ERR_OUT_OF_RANGE',
    );
  }
  return value;
}

/** Checks that an argument is an integer of so many bits, without sign. */
export function requireUnsigned(argument: string, value: unknown, bits: 8 | 16 | 32): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= 2 ** bits) {
    throw new InvalidArgumentError(
      argument,
      `must be an integer from 0 to 2^${bits} - 1`,
      typeof value === 'number' ? 'ERR_OUT_OF_RANGE' : 'ERR_INVALID_ARGUMENT',
    );
  }
  return value;
}

/** A copy as a plain `Uint8Array` on memory of its own; `Buffer.prototype.slice` would share it. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** All parts in a row, in a plain `Uint8Array`. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

/** Compares public bytes; not constant in time, so never for a MAC. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && left.every((byte, index) => byte === right[index]);
}

/** A 16-bit integer, most significant byte first. */
export function u16Bytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

/** A 32-bit integer, most significant byte first. */
export function u32Bytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** The bytes behind their 16-bit size: what the specification calls a TPM2B. */
export function sizedBytes(bytes: Uint8Array): Uint8Array {
  return concatBytes(u16Bytes(bytes.byteLength), bytes);
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Bytes of a hexadecimal constant in this package's source. */
export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** Without the zero bytes at the end: they are not significant in an authorization value (Part 1, 19.6.5). */
export function trimTrailingZeros(bytes: Uint8Array): Uint8Array {
  let length = bytes.byteLength;
  while (length > 0 && bytes[length - 1] === 0) length -= 1;
  return bytes.subarray(0, length);
}
