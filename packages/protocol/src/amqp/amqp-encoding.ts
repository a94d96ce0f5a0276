/**
 * The type encoding of AMQP 1.0 (part 1.6), as far as it takes to see that bytes keep its rules before an AMQP library
 * looks at them: every size and count agrees with what follows, nothing nests too deep, and no array claims elements
 * that cost no bytes. Values are not built.
 */
import { malformed } from '../json/malformed.ts';

/** Deepest nesting that is taken; the service's own messages have five levels. */
const maxDepth = 32;

/** Elements of no width cost memory, but no bytes. */
const maxElementsWithoutWidth = 256;

/** Finds the end of the value at `offset`. Throws `ERR_REMOTE_MALFORMED`. */
export function skipAmqpValue(bytes: Uint8Array, offset: number, depth = 0): number {
  if (depth > maxDepth) throw broken(`nests deeper than ${maxDepth}`);
  const code = byteAt(bytes, offset);
  if (code !== 0) return skipContent(bytes, code, offset + 1, depth);
  // A described value: descriptor, then value.
  return skipAmqpValue(bytes, skipAmqpValue(bytes, offset + 1, depth + 1), depth + 1);
}

/** A list that a descriptor of numbers tells the meaning of: a performative, for example. */
export interface DescribedList {
  /** The numeric descriptor. */
  readonly descriptor: number;
  /** Where each field begins. */
  readonly fieldOffsets: readonly number[];
  /** Where the list ends. */
  readonly end: number;
}

/** Reads the outline of a described list. Throws `ERR_REMOTE_MALFORMED` for anything else. */
export function readDescribedList(bytes: Uint8Array, offset: number): DescribedList {
  if (byteAt(bytes, offset) !== 0) throw broken('must begin with a descriptor');
  const descriptor = readAmqpNumber(bytes, offset + 1);
  if (descriptor === undefined) throw broken('must have a descriptor that is a number');
  const listAt = skipAmqpValue(bytes, offset + 1);
  const end = skipAmqpValue(bytes, listAt);
  const code = byteAt(bytes, listAt);
  const first = firstFieldOffset[code];
  if (first === undefined) throw broken('must be a list');
  const fieldOffsets: number[] = [];
  for (let at = listAt + first; at < end; at = skipAmqpValue(bytes, at)) fieldOffsets.push(at);
  return { descriptor, fieldOffsets, end };
}

/** The unsigned number (or boolean, as 0 or 1) at `offset`; undefined for any other value and where there is none. */
export function readAmqpNumber(bytes: Uint8Array, offset: number | undefined): number | undefined {
  if (offset === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const code = byteAt(bytes, offset);
  if (code === 0x43 || code === 0x44 || code === 0x42) return 0;
  if (code === 0x41) return 1;
  const width = numberWidths[code];
  if (width === undefined) return undefined;
  requireBytes(bytes, offset + 1, width);
  switch (width) {
    case 1:
      return view.getUint8(offset + 1);
    case 2:
      return view.getUint16(offset + 1);
    case 4:
      return view.getUint32(offset + 1);
    default:
      return Number(view.getBigUint64(offset + 1));
  }
}

/** `list0`, `list8`, `list32`: how far behind the constructor's beginning the first field is. */
const firstFieldOffset: Readonly<Record<number, number>> = { 0x45: 1, 0xc0: 3, 0xd0: 9 };

const numberWidths: Readonly<Record<number, number>> = {
  0x50: 1,
  0x52: 1,
  0x53: 1,
  0x56: 1,
  0x60: 2,
  0x70: 4,
  0x80: 8,
};

/** Widths of the fixed types, by the upper half of their code. */
const fixedWidths: Readonly<Record<number, number>> = { 4: 0, 5: 1, 6: 2, 7: 4, 8: 8, 9: 16 };

function skipContent(bytes: Uint8Array, code: number, offset: number, depth: number): number {
  const category = code >> 4;
  const width = fixedWidths[category];
  if (width !== undefined) return requireBytes(bytes, offset, width);
  const sizeWidth = category % 2 === 0 ? 1 : 4;
  const size = readSize(bytes, offset, sizeWidth);
  const end = requireBytes(bytes, offset + sizeWidth, size);
  switch (category) {
    case 0xa:
    case 0xb:
      return end;
    case 0xc:
    case 0xd:
      return skipItems(bytes, { offset: offset + sizeWidth, sizeWidth, end, depth });
    case 0xe:
    case 0xf:
      return skipElements(bytes, { offset: offset + sizeWidth, sizeWidth, end, depth });
    default:
      throw broken(`has the type code ${code.toString(16)}, which does not exist`);
  }
}

interface Compound {
  /** Where the count is. */
  readonly offset: number;
  readonly sizeWidth: number;
  readonly end: number;
  readonly depth: number;
}

function skipItems(bytes: Uint8Array, { offset, sizeWidth, end, depth }: Compound): number {
  const inside = bytes.subarray(0, end);
  const count = readSize(inside, offset, sizeWidth);
  let at = offset + sizeWidth;
  for (let item = 0; item < count; item += 1) at = skipAmqpValue(inside, at, depth + 1);
  return requireEnd(at, end);
}

function skipElements(bytes: Uint8Array, { offset, sizeWidth, end, depth }: Compound): number {
  const inside = bytes.subarray(0, end);
  const count = readSize(inside, offset, sizeWidth);
  let at = offset + sizeWidth;
  // One constructor, possibly with a descriptor, for all elements.
  while (byteAt(inside, at) === 0) at = skipAmqpValue(inside, at + 1, depth + 1);
  const code = byteAt(inside, at);
  at += 1;
  if (fixedWidths[code >> 4] === 0 && count > maxElementsWithoutWidth) {
    throw broken(`has an array of ${count} elements without width`);
  }
  for (let element = 0; element < count; element += 1) at = skipContent(inside, code, at, depth + 1);
  return requireEnd(at, end);
}

function readSize(bytes: Uint8Array, offset: number, width: number): number {
  requireBytes(bytes, offset, width);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return width === 1 ? view.getUint8(offset) : view.getUint32(offset);
}

function byteAt(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw broken('ends too early');
  return byte;
}

function requireBytes(bytes: Uint8Array, offset: number, count: number): number {
  if (offset + count > bytes.byteLength) throw broken('ends too early');
  return offset + count;
}

function requireEnd(at: number, end: number): number {
  if (at !== end) throw broken('has a size that does not agree with its content');
  return end;
}

function broken(problem: string): Error {
  return malformed('AMQP frame', 'value', problem);
}
