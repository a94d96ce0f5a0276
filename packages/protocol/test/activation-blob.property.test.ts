/** Properties of the activation blob; the oracle for the framing is a two-line reader written from TPM 2.0 Part 2, 10.4.2. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinActivationBlob, splitActivationBlob, type ActivationParts } from '@endorse/protocol';

const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength });

const parts: fc.Arbitrary<ActivationParts> = fc.record({
  idObject: bytes(16, 98).map((tail) => Uint8Array.of(0, tail.byteLength - 8, ...tail)),
  encryptedSecret: bytes(1, 512),
  duplicate: bytes(1, 300),
  encryptedSeed: bytes(0, 512),
  publicArea: bytes(1, 250).map((tail) => Uint8Array.of(0x00, 0x08, ...tail)),
  encryptedUri: bytes(0, 400),
});

test('splitting what was joined gives the same parts, and the framing is TPM2B', () => {
  fc.assert(
    fc.property(parts, (given) => {
      const blob = joinActivationBlob(given);
      expect(splitActivationBlob(blob)).toEqual(given);
      const sizes: number[] = [];
      for (let at = 0; at < blob.byteLength; at += 2 + (sizes.at(-1) ?? 0)) {
        sizes.push(new DataView(blob.buffer, blob.byteOffset).getUint16(at));
      }
      expect(sizes).toEqual(partSizes(given));
    }),
  );
});

test('a blob cut anywhere is refused', () => {
  fc.assert(
    fc.property(parts, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (given, where) => {
      const blob = joinActivationBlob(given);
      const cut = blob.subarray(0, Math.floor(blob.byteLength * where));
      expect(() => splitActivationBlob(cut)).toThrow(
        expect.objectContaining({ code: 'ERR_REMOTE_MALFORMED' }),
      );
    }),
  );
});

test('any bytes are split, unchanged, or refused with RemoteProtocolError; the input is left alone', () => {
  const damaged = fc.tuple(parts, fc.nat(), fc.nat(255)).map(([given, at, value]) => {
    const blob = joinActivationBlob(given);
    blob[at % blob.byteLength] = value;
    return blob;
  });
  fc.assert(
    fc.property(fc.oneof(bytes(0, 600), damaged), (blob) => {
      const before = Uint8Array.from(blob);
      try {
        expect(joinActivationBlob(splitActivationBlob(blob))).toEqual(blob);
      } catch (error) {
        expect(error).toMatchObject({ name: 'RemoteProtocolError' });
      }
      expect(blob).toEqual(before);
    }),
    { numRuns: 300 },
  );
});

function partSizes(given: ActivationParts): readonly number[] {
  const { idObject, encryptedSecret, duplicate, encryptedSeed, publicArea, encryptedUri } = given;
  return [idObject, encryptedSecret, duplicate, encryptedSeed, publicArea, encryptedUri].map(
    ({ byteLength }) => byteLength,
  );
}
