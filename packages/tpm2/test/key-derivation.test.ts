/** Oracle: published vectors of google/go-tpm, quoted in vectors/key-derivation.json. */
import type { HashAlgorithm } from '@endorse/tpm2';
import { kdfa, kdfe } from '@endorse/tpm2';
import { describe, expect, it } from 'vitest';
import { hex, toHex } from './support/bytes.ts';
import vectors from './vectors/key-derivation.json' with { type: 'json' };

describe('kdfa', () => {
  it.each(vectors.kdfa)('derives $name', (vector) => {
    const output = kdfa(
      vector.hash as HashAlgorithm,
      hex(vector.key),
      vector.label,
      hex(vector.contextU),
      hex(vector.contextV),
      vector.bits,
    );
    expect(toHex(output)).toBe(vector.result);
  });

  it('refuses labels that are not ASCII or hold a NUL', () => {
    for (const label of ['STORAGE\0', 'é', 7 as unknown as string]) {
      expect(() => kdfa('sha256', hex(''), label, hex(''), hex(''), 128)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'label' }),
      );
    }
  });

  it('refuses a length that is negative, broken or absurd', () => {
    for (const bits of [-1, 1.5, Number.NaN, 2 ** 31]) {
      expect(() => kdfa('sha256', hex(''), 'STORAGE', hex(''), hex(''), bits)).toThrow(
        expect.objectContaining({ code: 'ERR_OUT_OF_RANGE', argument: 'bits' }),
      );
    }
  });

  it('refuses a hash it does not know', () => {
    expect(() => kdfa('md5' as HashAlgorithm, hex(''), 'STORAGE', hex(''), hex(''), 128)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'hash' }),
    );
  });
});

describe('kdfe', () => {
  it.each(vectors.kdfe)('derives $name', (vector) => {
    const output = kdfe(
      vector.hash as HashAlgorithm,
      hex(vector.z),
      vector.label,
      hex(vector.partyU),
      hex(vector.partyV),
      vector.bits,
    );
    expect(toHex(output)).toBe(vector.result);
  });
});
