import { TPM2B_DIGEST, TPML_DIGEST, TPMS_ID_OBJECT, TPMT_PUBLIC, TPM_HANDLE, TpmBuffer } from '@endorse/tss';
import { describe, expect, it } from 'vitest';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const malformed = expect.objectContaining({ code: 'ERR_TPM_MALFORMED' }) as Error;
const unencodable = expect.objectContaining({ code: 'ERR_LOCAL_UNENCODABLE' }) as Error;

describe('reading', () => {
  it.each([
    ['a byte', (buffer: TpmBuffer) => buffer.readByte()],
    ['a short', (buffer: TpmBuffer) => buffer.readShort()],
    ['an int', (buffer: TpmBuffer) => buffer.readInt()],
    ['a 64-bit integer', (buffer: TpmBuffer) => buffer.readInt64()],
    ['bytes', (buffer: TpmBuffer) => buffer.readByteBuf(1)],
    ['a list', (buffer: TpmBuffer) => buffer.readValArr(1)],
    ['an object', (buffer: TpmBuffer) => buffer.createObj(TPM_HANDLE)],
  ])('%s beyond the end throws', (_what, read) => {
    expect(() => read(new TpmBuffer(hex('')))).toThrow(malformed);
  });

  it('a list longer than what is left throws before it is made', () => {
    expect(() => new TpmBuffer(hex('ffffffff 0000')).readObjArr(TPM2B_DIGEST)).toThrow(malformed);
    expect(() => new TpmBuffer(hex('00000003 0001 0002')).readValArr(2)).toThrow(malformed);
  });

  it('a sized structure stays inside its size, and fills it', () => {
    const read = (text: string): unknown => new TpmBuffer(hex(text)).createSizedObj(TPM_HANDLE);
    expect(read('0004 81000001')).toMatchObject({ handle: 0x8100_0001 });
    expect(read('0000')).toBe(null);
    expect(() => read('0003 81000001')).toThrow(malformed);
    expect(() => read('0005 81000001 00')).toThrow(malformed);
    expect(() => read('0006 81000001')).toThrow(malformed);
  });

  it('names the structure in which it found the mistake', () => {
    expect(() => new TpmBuffer(hex('00000001 0004 00')).createObj(TPML_DIGEST)).toThrow(
      /^TPML_DIGEST\.TPM2B_DIGEST needs 4 bytes where 1 are left$/,
    );
  });

  it('a structure that takes what is left works inside a sized one and outside', () => {
    const bare = TPMS_ID_OBJECT.fromBytes(hex('0002 aabb ccdd'));
    expect(bare.encIdentity).toEqual(hex('ccdd'));
    const sized = new TpmBuffer(hex('0006 0002 aabb ccdd ee')).createSizedObj(TPMS_ID_OBJECT);
    expect(sized?.encIdentity).toEqual(hex('ccdd'));
  });

  it('a union with a selector that does not exist is malformed', () => {
    expect(() => TPMT_PUBLIC.fromBytes(hex('7777 000b 00000000 0000'))).toThrow(malformed);
  });

  it('keeps the bytes a sized structure was read from, and copies them', () => {
    const source = hex('0004 81000001');
    const handle = new TpmBuffer(source).createSizedObj(TPM_HANDLE);
    source.fill(0);
    expect(handle?.receivedBytes).toEqual(hex('81000001'));
    expect(Object.keys(handle ?? {})).not.toContain('receivedBytes');
  });
});

describe('writing', () => {
  it.each([
    ['a byte', (buffer: TpmBuffer) => buffer.writeByte(0x100)],
    ['a short', (buffer: TpmBuffer) => buffer.writeShort(0x1_0000)],
    ['an int', (buffer: TpmBuffer) => buffer.writeInt(2 ** 32)],
    ['a fraction', (buffer: TpmBuffer) => buffer.writeInt(0.5)],
    ['nothing', (buffer: TpmBuffer) => buffer.writeInt(undefined as unknown as number)],
    ['null', (buffer: TpmBuffer) => buffer.writeInt(null as unknown as number)],
    ['a 64-bit integer', (buffer: TpmBuffer) => buffer.writeInt64(2n ** 64n)],
    ['a negative 64-bit integer', (buffer: TpmBuffer) => buffer.writeInt64(-1n)],
    ['an unsafe number', (buffer: TpmBuffer) => buffer.writeInt64(2 ** 53)],
    [
      'bytes longer than their size can say',
      (buffer: TpmBuffer) => buffer.writeSizedByteBuf(Buffer.alloc(256), 1),
    ],
  ])('%s that does not fit throws', (_what, write) => {
    expect(() => write(new TpmBuffer())).toThrow(unencodable);
  });

  it('beyond the capacity throws', () => {
    const buffer = new TpmBuffer(4);
    buffer.writeInt(1);
    expect(() => buffer.writeByte(1)).toThrow(unencodable);
    expect(() => new TpmBuffer(3).writeByteBuf(Buffer.alloc(4))).toThrow(unencodable);
  });

  it('takes booleans and negative numbers of the same bits', () => {
    const buffer = new TpmBuffer();
    buffer.writeByte(true);
    buffer.writeInt(0x8000_0000 | 1);
    buffer.writeByte(-3);
    expect(buffer.trim().toString('hex')).toBe('0180000001fd');
  });
});

describe('a buffer', () => {
  it('is made of a capacity, of bytes in any form, or of another buffer', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const other = new TpmBuffer(bytes);
    other.readByte();
    expect(new TpmBuffer().size).toBe(4096);
    expect(new TpmBuffer(7).size).toBe(7);
    for (const source of [bytes, bytes.buffer, [1, 2, 3]]) {
      expect(new TpmBuffer(source).buffer).toEqual(Buffer.from([1, 2, 3]));
    }
    expect(new TpmBuffer(other).readByte()).toBe(2);
  });

  it('moves inside its bounds only', () => {
    const buffer = new TpmBuffer(4);
    buffer.curPos = 4;
    for (const position of [5, -1, 0.5]) {
      expect(() => {
        buffer.curPos = position;
      }).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }) as Error);
    }
    expect(buffer.curPos).toBe(4);
    expect(buffer.isOk()).toBe(true);
  });
});
