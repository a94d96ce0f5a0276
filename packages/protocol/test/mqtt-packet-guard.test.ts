/** Oracle: the examples of the length encoding in MQTT 3.1.1 section 2.2.3, table 2.4. */
import { createPacketGuard } from '@endorse/protocol';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { thrownBy } from './vectors.ts';

test.each([
  [0, [0x00]],
  [127, [0x7f]],
  [128, [0x80, 0x01]],
  [16_383, [0xff, 0x7f]],
  [16_384, [0x80, 0x80, 0x01]],
  [2_097_151, [0xff, 0xff, 0x7f]],
  [2_097_152, [0x80, 0x80, 0x80, 0x01]],
  [268_435_455, [0xff, 0xff, 0xff, 0x7f]],
])('a length of %i is read, and refused above the limit', (length, encoded) => {
  const header = Uint8Array.of(0x30, ...encoded);
  expect(() => createPacketGuard(length)(header)).not.toThrow();
  if (length > 0) {
    expect(thrownBy(() => createPacketGuard(length - 1)(header))).toMatchObject({
      code: 'ERR_REMOTE_TOO_LARGE',
    });
  }
});

test('a length of five bytes is none', () => {
  const header = Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01);
  expect(thrownBy(() => createPacketGuard(268_435_455)(header))).toMatchObject({
    code: 'ERR_REMOTE_MALFORMED',
  });
});

test('packets are told apart however the stream is cut, and the first that is too large is found', () => {
  const encode = (length: number): number[] =>
    length < 128 ? [0x30, length] : [0x30, (length % 128) + 128, Math.floor(length / 128)];
  const lengths = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 8 });
  fc.assert(
    fc.property(lengths, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sizes, cuts) => {
      const bytes = Uint8Array.from(
        sizes.flatMap((size) => [...encode(size), ...Array.from({ length: size }, () => 0xff)]),
      );
      const feed = (limit: number): void => {
        const guard = createPacketGuard(limit);
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const end = at + (cuts[turn % cuts.length] ?? 1);
          guard(bytes.subarray(at, end));
          at = end;
        }
      };
      const largest = Math.max(0, ...sizes);
      expect(() => feed(largest)).not.toThrow();
      if (largest > 0) expect(() => feed(largest - 1)).toThrow(/above the limit/);
    }),
  );
});
