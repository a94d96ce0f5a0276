/**
 * Oracle: tss.js 2.0.0 (generated from the tables of TPM 2.0 Library, Part 2), byte for byte on random structures.
 */
import { createHash } from 'node:crypto';
import {
  computeName,
  computeNvName,
  decodeNvPublic,
  decodePublic,
  decodeTpm2bPublic,
  encodeNvPublic,
  encodePublic,
  encodeTpm2bPublic,
  handleName,
  rh,
  srkTemplateRsa2048,
} from '@endorse/tpm2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonHash, nvPublic, publicArea } from './support/arbitraries.ts';
import { toHex } from './support/bytes.ts';
import { tssNvPublic, tssPublic } from './support/tss.ts';

describe('public areas', () => {
  it('encode to the bytes of tss.js', () => {
    fc.assert(
      fc.property(publicArea, (area) => {
        const theirs = tssPublic(area);
        expect(toHex(encodePublic(area))).toBe(theirs.toBytes().toString('hex'));
        expect(toHex(encodeTpm2bPublic(area))).toBe(theirs.asTpm2B().toString('hex'));
      }),
      { numRuns: 500 },
    );
  });

  it('decode what tss.js wrote to what was put in', () => {
    fc.assert(
      fc.property(publicArea, (area) => {
        expect(decodePublic(tssPublic(area).toBytes())).toEqual(area);
        expect(decodeTpm2bPublic(tssPublic(area).asTpm2B())).toEqual(area);
      }),
      { numRuns: 500 },
    );
  });

  it('have the Name of tss.js', () => {
    fc.assert(
      fc.property(publicArea, commonHash, (area, nameAlg) => {
        const named = { ...area, nameAlg };
        const theirs = tssPublic(named);
        // tss.js hashes in JavaScript of its own and knows neither SM3 nor SHA-3.
        expect(toHex(computeName(named))).toBe(theirs.getName().toString('hex'));
        expect(toHex(computeName(encodePublic(named)))).toBe(toHex(computeName(named)));
      }),
      { numRuns: 100 },
    );
  });
});

describe('Names', () => {
  it('are empty without a nameAlg, and four bytes for what has only a handle', () => {
    const area = { ...srkTemplateRsa2048, nameAlg: null };
    expect(computeName(area)).toHaveLength(0);
    expect(computeName(encodePublic(area))).toHaveLength(0);
    expect(toHex(handleName(rh.endorsement))).toBe('4000000b');
    expect(() => handleName(-1)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  });
});

describe('public areas of NV indices', () => {
  it('encode to the bytes of tss.js and decode again', () => {
    fc.assert(
      fc.property(nvPublic, (area) => {
        const theirs = tssNvPublic(area).toBytes();
        expect(toHex(encodeNvPublic(area))).toBe(theirs.toString('hex'));
        expect(decodeNvPublic(theirs)).toEqual(area);
      }),
      { numRuns: 300 },
    );
  });

  it('have the Name nameAlg ‖ H(TPMS_NV_PUBLIC)', () => {
    fc.assert(
      fc.property(nvPublic, commonHash, (area, nameAlg) => {
        const theirs = tssNvPublic({ ...area, nameAlg }).toBytes();
        const digest = createHash(nameAlg).update(theirs).digest('hex');
        expect(toHex(computeNvName({ ...area, nameAlg })).slice(4)).toBe(digest);
      }),
      { numRuns: 50 },
    );
  });
});
