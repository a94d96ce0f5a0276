import * as fc from 'fast-check';
import type { Rearrangement, Sequence } from './rearrangement.ts';
import { rearrange, rearrangements } from './rearrangement.ts';

/** One change to bytes. */
export type ByteMutation =
  | Rearrangement
  | { readonly kind: 'change' | 'insert'; readonly at: number; readonly bytes: Uint8Array }
  /** An integer somewhere, as a length or a count would stand there: `by` more, or `to`. */
  | {
      readonly kind: 'integer';
      readonly at: number;
      readonly width: 1 | 2 | 4 | 8;
      readonly isLittleEndian: boolean;
      readonly change: { readonly by: bigint } | { readonly to: bigint };
    };

const bytesSequence: Sequence<Uint8Array> = {
  length: (whole) => whole.byteLength,
  slice: (whole, from, to) => whole.subarray(from, to),
  join: (parts) => Uint8Array.from(Buffer.concat(parts)),
};

/** Where integers break: nothing, one, the sign bit and its neighbours, the largest. */
const boundaries = [8n, 16n, 32n, 64n].flatMap((bits) => [
  2n ** (bits - 1n) - 1n,
  2n ** (bits - 1n),
  2n ** bits - 1n,
]);

/** Single changes to bytes. */
export const byteMutations: fc.Arbitrary<ByteMutation> = fc.oneof(
  { weight: 3, arbitrary: rearrangements(256) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('change', 'insert'),
      at: fc.nat(),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('integer'),
      at: fc.nat(),
      width: fc.constantFrom(1, 2, 4, 8),
      isLittleEndian: fc.boolean(),
      change: fc.oneof(
        fc.record({ by: fc.constantFrom(1n, -1n) }),
        fc.record({ to: fc.constantFrom(0n, 1n, ...boundaries) }),
      ),
    }),
  },
);

/** Applies a change to a copy; `recordings` are what it may splice with. */
export function mutateBytes(
  whole: Uint8Array,
  mutation: ByteMutation,
  recordings: readonly Uint8Array[],
): Uint8Array {
  switch (mutation.kind) {
    case 'change':
    case 'insert': {
      const at = mutation.at % (whole.byteLength + 1);
      const after = at + (mutation.kind === 'change' ? mutation.bytes.byteLength : 0);
      return bytesSequence.join([whole.subarray(0, at), mutation.bytes, whole.subarray(after)]);
    }
    case 'integer': {
      const { at, width, isLittleEndian, change } = mutation;
      if (whole.byteLength < width) return whole;
      const copy = Uint8Array.from(whole);
      const place = copy.subarray(at % (copy.byteLength - width + 1)).subarray(0, width);
      const order = isLittleEndian ? place.toReversed() : place;
      const value =
        'to' in change ? change.to : BigInt(`0x${Buffer.from(order).toString('hex')}`) + change.by;
      const hex = BigInt.asUintN(width * 8, value)
        .toString(16)
        .padStart(width * 2, '0');
      const written = Uint8Array.from(Buffer.from(hex, 'hex'));
      place.set(isLittleEndian ? written.toReversed() : written);
      return copy;
    }
    default:
      return rearrange(bytesSequence, whole, mutation, recordings);
  }
}

/** Bytes that nobody recorded. */
export const noise: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 200 });

/** Recordings with up to four changes, some with none, and some noise. */
export function mutatedBytes(recordings: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const mutated = fc
    .tuple(fc.constantFrom(...recordings), fc.array(byteMutations, { maxLength: 4 }))
    .map(([whole, mutations]) =>
      mutations.reduce<Uint8Array>(
        (bytes, mutation) => mutateBytes(bytes, mutation, recordings),
        Uint8Array.from(whole),
      ),
    );
  return fc.oneof({ weight: 9, arbitrary: mutated }, { weight: 1, arbitrary: noise });
}
