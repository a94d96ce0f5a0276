import { TpmDecodeError } from '../errors.ts';
import { requireBytes } from './bytes.ts';

/**
 * Reads big-endian fields in order and refuses anything but exact lengths.
 * Every failure is a {@link TpmDecodeError} that names the structure and the field.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #structure: string;
  #offset = 0;

  constructor(bytes: Uint8Array, structure: string) {
    requireBytes('bytes', bytes);
    // A Buffer's slice() shares memory with it; a plain view's slice() copies, so results never alias the input.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#structure = structure;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.byteLength - this.#offset;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#take(1, field));
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#take(2, field));
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#take(4, field));
  }

  u64(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field));
  }

  /** A byte that the specification allows to be 0 or 1 only (TPMI_YES_NO). */
  yesNo(field: string): boolean {
    const value = this.u8(field);
    if (value > 1) this.fail(field, `must be 0 or 1, not ${value}`, 1);
    return value === 1;
  }

  /** So many bytes, as a copy. */
  bytes(length: number, field: string): Uint8Array {
    const start = this.#take(length, field);
    return this.#bytes.slice(start, start + length);
  }

  /** Whatever is left, as a copy. */
  rest(): Uint8Array {
    return this.bytes(this.remaining, 'rest');
  }

  /** A TPM2B: a 16-bit size and so many bytes, at most `maximum`. */
  sized(field: string, maximum = 0xffff): Uint8Array {
    const size = this.u16(`${field}.size`);
    if (size > maximum) this.fail(field, `has ${size} bytes, more than ${maximum}`, 2);
    return this.bytes(size, field);
  }

  /** A TPM2B whose content is a structure that must fill it exactly. */
  sizedStructure<Value>(field: string, structure: string, read: (reader: ByteReader) => Value): Value {
    return readExactly(this.sized(field), structure, read);
  }

  /** How many elements of `elementSize` bytes follow; refuses a count that cannot fit before anything is allocated. */
  count(field: string, elementSize: number): number {
    const count = this.u32(field);
    if (count * elementSize > this.remaining) {
      this.fail(field, `announces ${count} elements, more than there are bytes for`, 4);
    }
    return count;
  }

  /** Refuses trailing bytes. */
  end(): void {
    if (this.remaining > 0) this.fail('end', `is followed by ${this.remaining} unexpected bytes`);
  }

  /** Throws the error of the field that was just read (`size` bytes ago). */
  fail(field: string, problem: string, size = 0): never {
    throw new TpmDecodeError(`${this.#structure}.${field}`, this.#offset - size, problem);
  }

  #take(length: number, field: string): number {
    if (length > this.remaining) {
      this.fail(field, `needs ${length} bytes, but only ${this.remaining} are left`);
    }
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}

/** Decodes a whole input: nothing may be left over. */
export function readExactly<Value>(
  bytes: Uint8Array,
  structure: string,
  read: (reader: ByteReader) => Value,
): Value {
  const reader = new ByteReader(bytes, structure);
  const value = read(reader);
  reader.end();
  return value;
}
