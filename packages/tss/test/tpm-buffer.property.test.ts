/** Oracle: the marshaller of the npm package tss.js 2.0.0, where it is right. */
import { TpmBuffer } from '@endorse/tss';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { original } from './support/original.ts';

const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));
const byte = fc.integer({ min: 0, max: 0xff });
const short = fc.integer({ min: 0, max: 0xffff });
const int = fc.integer({ min: -0x8000_0000, max: 0xffff_ffff });
const wide = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });

describe('TpmBuffer', () => {
  it('writes what the original writes', () => {
    fc.assert(
      fc.property(byte, short, int, bytes, fc.array(int, { maxLength: 8 }), (a, b, c, d, e) => {
        const [ours, theirs] = [new TpmBuffer(), new original.TpmBuffer()].map((buffer) => {
          buffer.writeByte(a);
          buffer.writeShort(b);
          buffer.writeInt(c);
          buffer.writeByteBuf(d);
          buffer.writeSizedByteBuf(d);
          buffer.writeValArr(e, 4);
          buffer.writeNumAtPos(b, 1, 2);
          return buffer.trim().toString('hex');
        });
        expect(ours).toBe(theirs);
      }),
    );
  });

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(byte, short, int, wide, bytes, fc.array(short, { maxLength: 8 }), (a, b, c, d, e, f) => {
        const written = new TpmBuffer();
        written.writeByte(a);
        written.writeShort(b);
        written.writeInt(c);
        written.writeInt64(d);
        written.writeSizedByteBuf(e);
        written.writeValArr(f, 2);
        const read = new TpmBuffer(written.trim());
        expect([read.readByte(), read.readShort(), read.readInt(), read.readInt64()]).toEqual([
          a,
          b,
          c >>> 0,
          d,
        ]);
        expect(read.readSizedByteBuf()).toEqual(e);
        expect(read.readValArr(2)).toEqual(f);
        expect(read.getCurStuctRemainingSize()).toBe(0);
      }),
    );
  });
});
