/**
 * The marshalling buffer that every structure and command of tss.js writes to and reads from.
 *
 * It has the methods of tss.js's own, and other manners: reads are bounded by the buffer and by the sized structure
 * they happen in, 64-bit integers are exact (`bigint`), 32-bit integers are unsigned, and what does not fit throws
 * instead of setting a flag that nobody looks at.
 */
import { InvalidArgumentError, LocalProtocolError } from '@endorse/interface';
import { TpmDecodeError } from '@endorse/tpm2';

/** Anything that can be marshalled; every structure is. */
export interface TpmMarshaller {
  /** Writes this object in its wire format. */
  toTpm(buf: TpmBuffer): void;
  /** Replaces this object's fields by what is read. Throws `ERR_TPM_MALFORMED`. */
  initFromTpm(buf: TpmBuffer): void;
}

/** What a {@link TpmBuffer} can be made of: a capacity in bytes, or bytes to read, which are copied. */
export type TpmBufferSource = number | TpmBuffer | Uint8Array | ArrayBuffer | readonly number[];

/** The constructor of a structure; the name is shown in errors. */
export interface TpmStructureType<T> {
  readonly name: string;
  new (): T;
}

/** What the largest TPM takes in one command. */
const defaultCapacityBytes = 4096;

/** A buffer to marshal into or to unmarshal from. */
export class TpmBuffer {
  #bytes: Buffer;
  #position = 0;
  /** Ends of the sized structures being read, innermost last. */
  readonly #ends: number[] = [];
  /** Names of the structures being read, innermost last. */
  readonly #path: string[] = [];

  constructor(source: TpmBufferSource = defaultCapacityBytes) {
    if (source instanceof TpmBuffer) {
      this.#bytes = Buffer.from(source.#bytes);
      this.#position = source.#position;
    } else if (typeof source === 'number') {
      this.#bytes = Buffer.alloc(source);
    } else {
      this.#bytes = source instanceof ArrayBuffer ? Buffer.from(source.slice(0)) : Buffer.from(source);
    }
  }

  /** The bytes themselves, not a copy. */
  get buffer(): Buffer {
    return this.#bytes;
  }

  /** Size of the whole buffer in bytes; more than was written until {@link TpmBuffer.trim}. */
  get size(): number {
    return this.#bytes.length;
  }

  /** Where the next byte is read or written, 0 to {@link TpmBuffer.size}. Setting it elsewhere throws `ERR_OUT_OF_RANGE`. */
  get curPos(): number {
    return this.#position;
  }

  set curPos(position: number) {
    if (!Number.isInteger(position) || position < 0 || position > this.size) {
      throw new InvalidArgumentError(
        'curPos',
        `must be an integer from 0 to ${this.size}`,
        'ERR_OUT_OF_RANGE',
      );
    }
    this.#position = position;
  }

  /** Always true: what tss.js reported here throws. */
  isOk(): boolean {
    return true;
  }

  /** Cuts the buffer off at the current position and returns it. */
  trim(): Buffer {
    this.#bytes = this.#bytes.subarray(0, this.#position);
    return this.#bytes;
  }

  /** How many bytes are left of the sized structure being read, or of the buffer. (The spelling is tss.js's.) */
  getCurStuctRemainingSize(): number {
    return this.#end - this.#position;
  }

  /** Writes an 8-bit integer, or a boolean as 1 or 0. */
  writeByte(value: number | boolean): void {
    this.#writeUnsigned(value, 1);
  }

  /** Writes a 16-bit integer. */
  writeShort(value: number): void {
    this.#writeUnsigned(value, 2);
  }

  /** Writes a 32-bit integer; a negative one as the unsigned number of the same bits. */
  writeInt(value: number): void {
    this.#writeUnsigned(value, 4);
  }

  /** Writes a 64-bit integer. Throws `ERR_LOCAL_UNENCODABLE` for a `number` that is not a safe integer. */
  writeInt64(value: bigint | number): void {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw this.#unencodable(value, 8);
    const number = BigInt(value);
    if (BigInt.asUintN(64, number) !== number) throw this.#unencodable(value, 8);
    this.#position = this.#bytes.writeBigUInt64BE(number, this.#reserve(8));
  }

  /** Writes a number of 1, 2 or 4 bytes at a position written before. */
  writeNumAtPos(value: number, position: number, byteLength = 4): void {
    const current = this.#position;
    this.curPos = position;
    this.#writeUnsigned(value, byteLength);
    this.#position = current;
  }

  /** Writes bytes without their length; nothing for null. */
  writeByteBuf(data: Uint8Array | null | undefined): void {
    const bytes = data ?? new Uint8Array(0);
    const position = this.#reserve(bytes.length);
    this.#bytes.set(bytes, position);
    this.#position += bytes.length;
  }

  /** Writes bytes after their length, which has `sizeLength` bytes; null as a length of 0. */
  writeSizedByteBuf(data: Uint8Array | null | undefined, sizeLength = 2): void {
    this.#writeUnsigned(data?.length ?? 0, sizeLength);
    this.writeByteBuf(data);
  }

  /** Writes an object after its length (TPM2B); null as a length of 0. */
  writeSizedObj(object: TpmMarshaller | null | undefined): void {
    const sizePosition = this.#position;
    this.writeShort(0);
    if (object === null || object === undefined) return;
    object.toTpm(this);
    this.writeNumAtPos(this.#position - sizePosition - 2, sizePosition, 2);
  }

  /** Writes a list of objects after their number (TPML); null as a number of 0. */
  writeObjArr(objects: readonly TpmMarshaller[] | null | undefined): void {
    this.writeInt(objects?.length ?? 0);
    for (const object of objects ?? []) object.toTpm(this);
  }

  /** Writes a list of integers of `valueLength` bytes after their number; null as a number of 0. */
  writeValArr(values: readonly number[] | null | undefined, valueLength: number): void {
    this.writeInt(values?.length ?? 0);
    for (const value of values ?? []) this.#writeUnsigned(value, valueLength);
  }

  /** Reads an 8-bit integer. */
  readByte(): number {
    return this.#readUnsigned(1);
  }

  /** Reads a 16-bit integer. */
  readShort(): number {
    return this.#readUnsigned(2);
  }

  /** Reads a 32-bit integer, 0 to 2^32 - 1. */
  readInt(): number {
    return this.#readUnsigned(4);
  }

  /** Reads a 64-bit integer, exactly. */
  readInt64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8));
  }

  /** Reads so many bytes, as a copy. */
  readByteBuf(byteLength: number): Buffer {
    const start = this.#take(byteLength);
    return Buffer.from(this.#bytes.subarray(start, start + byteLength));
  }

  /** Reads bytes after their length, which has `sizeLength` bytes. */
  readSizedByteBuf(sizeLength = 2): Buffer {
    return this.readByteBuf(this.#readUnsigned(sizeLength));
  }

  /** Reads an object. */
  createObj<T extends TpmMarshaller>(type: TpmStructureType<T>): T {
    const object = new type();
    this.#path.push(type.name);
    object.initFromTpm(this);
    this.#path.pop();
    return object;
  }

  /**
   * Reads an object after its length (TPM2B), which it must fill; null for a length of 0.
   * The bytes it was read from stay with it as `receivedBytes`: a signature is made over them.
   */
  createSizedObj<T extends TpmMarshaller>(type: TpmStructureType<T>): T | null {
    const byteLength = this.readShort();
    if (byteLength === 0) return null;
    const start = this.#take(byteLength);
    this.#position = start;
    const end = start + byteLength;
    this.#ends.push(end);
    const object = this.createObj(type);
    this.#ends.pop();
    if (this.#position !== end)
      throw this.#malformed(`leaves ${end - this.#position} bytes of its size unused`);
    const receivedBytes = Buffer.from(this.#bytes.subarray(start, end));
    Object.defineProperty(object, 'receivedBytes', { value: receivedBytes, enumerable: false });
    return object;
  }

  /** Reads a list of objects after their number (TPML). */
  readObjArr<T extends TpmMarshaller>(type: TpmStructureType<T>): T[] {
    return this.#readList(1, () => this.createObj(type));
  }

  /** Reads a list of integers of `valueLength` bytes after their number. */
  readValArr<T extends number>(valueLength: number): T[] {
    return this.#readList(valueLength, () => this.#readUnsigned(valueLength) as T);
  }

  #readList<T>(minimumLength: number, readElement: () => T): T[] {
    const count = this.readInt();
    // Before anything of that size is made: the number comes from the peer.
    if (count * minimumLength > this.getCurStuctRemainingSize()) {
      throw this.#malformed(`has a list of ${count} elements, more than there are bytes`);
    }
    return Array.from({ length: count }, readElement);
  }

  get #end(): number {
    return this.#ends.at(-1) ?? this.size;
  }

  #reserve(byteLength: number): number {
    if (this.#position + byteLength > this.size) {
      throw new LocalProtocolError(
        'ERR_LOCAL_UNENCODABLE',
        `the structure is longer than the buffer of ${this.size} bytes`,
      );
    }
    return this.#position;
  }

  #writeUnsigned(value: number | boolean, byteLength: number): void {
    const number = Number(value);
    const range = 2 ** (8 * byteLength);
    // Number(null) is 0; a field that was forgotten must not be.
    if (typeof value === 'object' || !Number.isInteger(number) || number < -range / 2 || number >= range) {
      throw this.#unencodable(value, byteLength);
    }
    const unsigned = number < 0 ? number + range : number;
    this.#position = this.#bytes.writeUIntBE(unsigned, this.#reserve(byteLength), byteLength);
  }

  #readUnsigned(byteLength: number): number {
    return this.#bytes.readUIntBE(this.#take(byteLength), byteLength);
  }

  /** Moves past so many bytes that are there, and returns where they start. */
  #take(byteLength: number): number {
    const start = this.#position;
    if (byteLength > this.#end - start) {
      throw this.#malformed(`needs ${byteLength} bytes where ${this.#end - start} are left`);
    }
    this.#position += byteLength;
    return start;
  }

  #malformed(problem: string): TpmDecodeError {
    return new TpmDecodeError(this.#path.join('.') || 'TpmBuffer', this.#position, problem);
  }

  #unencodable(value: unknown, byteLength: number): LocalProtocolError {
    return new LocalProtocolError(
      'ERR_LOCAL_UNENCODABLE',
      `${String(value)} is not an integer of ${8 * byteLength} bits`,
    );
  }
}

/** The error for a structure that is marshalled before the field that says what it is has been set. */
export function unsetField(structure: string, field: string): LocalProtocolError {
  return new LocalProtocolError(
    'ERR_LOCAL_UNENCODABLE',
    `${structure}.${field} is not set; pass null instead of the whole structure to leave it out`,
  );
}

/** The error for a union whose selector the specification does not have. */
export function unknownSelector(union: string, selector: unknown): TpmDecodeError {
  return new TpmDecodeError(union, 0, `has the unknown selector ${String(selector)}`);
}
