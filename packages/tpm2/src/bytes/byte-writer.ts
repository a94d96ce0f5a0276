import { InvalidArgumentError } from '@endorse/interface';
import { requireBytes, requireUnsigned } from './bytes.ts';

/** Writes big-endian fields in order; a value that does not fit its field is the caller's error. */
export class ByteWriter {
  #bytes = new Uint8Array(512);
  #length = 0;

  u8(value: number, argument: string): this {
    requireUnsigned(argument, value, 8);
    this.#bytes[this.#reserve(1)] = value;
    return this;
  }

  u16(value: number, argument: string): this {
    requireUnsigned(argument, value, 16);
    const at = this.#reserve(2);
    new DataView(this.#bytes.buffer).setUint16(at, value);
    return this;
  }

  u32(value: number, argument: string): this {
    requireUnsigned(argument, value, 32);
    const at = this.#reserve(4);
    new DataView(this.#bytes.buffer).setUint32(at, value);
    return this;
  }

  u64(value: bigint, argument: string): this {
    if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) {
      throw new InvalidArgumentError(argument, 'must be a bigint from 0 to 2^64 - 1', 'ERR_OUT_OF_RANGE');
    }
    const at = this.#reserve(8);
    new DataView(this.#bytes.buffer).setBigUint64(at, value);
    return this;
  }

  /** TPMI_YES_NO. */
  yesNo(value: boolean, argument: string): this {
    if (typeof value !== 'boolean') throw new InvalidArgumentError(argument, 'must be a boolean');
    return this.u8(value ? 1 : 0, argument);
  }

  bytes(value: Uint8Array, argument: string): this {
    requireBytes(argument, value);
    const at = this.#reserve(value.byteLength);
    this.#bytes.set(value, at);
    return this;
  }

  /** A TPM2B: a 16-bit size and the bytes, at most `maximum`. */
  sized(value: Uint8Array, argument: string, maximum = 0xffff): this {
    requireBytes(argument, value, { maximum });
    return this.u16(value.byteLength, argument).bytes(value, argument);
  }

  /** Everything written so far, on memory of its own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(length: number): number {
    const start = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.byteLength * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return start;
  }
}
