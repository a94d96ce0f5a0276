import * as fc from 'fast-check';

/** What bytes, text and lists of pieces have in common. */
export interface Sequence<S> {
  length(whole: S): number;
  slice(whole: S, from: number, to?: number): S;
  join(parts: readonly S[]): S;
}

/** A change that only moves what is there, of this recording or another. */
export interface Rearrangement {
  readonly kind: 'cut' | 'omit' | 'repeat' | 'swap' | 'splice';
  readonly at: number;
  readonly count: number;
  readonly times: number;
  readonly other: number;
  readonly otherAt: number;
}

/** Rearrangements; `maxTimes` bounds how often something is repeated, so how large it may become. */
export function rearrangements(maxTimes: number): fc.Arbitrary<Rearrangement> {
  return fc.record({
    kind: fc.constantFrom('cut', 'omit', 'repeat', 'swap', 'splice'),
    at: fc.nat(),
    count: fc.integer({ min: 1, max: 64 }),
    times: fc.oneof(
      { weight: 15, arbitrary: fc.integer({ min: 1, max: Math.min(3, maxTimes) }) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: maxTimes }) },
    ),
    other: fc.nat(),
    otherAt: fc.nat(),
  });
}

/** Applies a rearrangement; `splice` goes on with the rest of one of `recordings`. */
export function rearrange<S>(
  sequence: Sequence<S>,
  whole: S,
  { kind, at, count, times, other, otherAt }: Rearrangement,
  recordings: readonly S[],
): S {
  const place = at % (sequence.length(whole) + 1);
  const before = sequence.slice(whole, 0, place);
  const here = sequence.slice(whole, place, place + count);
  const after = sequence.slice(whole, place + count);
  switch (kind) {
    case 'cut':
      return before;
    case 'omit':
      return sequence.join([before, after]);
    case 'repeat':
      return sequence.join([before, ...Array.from({ length: times + 1 }, () => here), after]);
    case 'swap':
      return sequence.join([before, sequence.slice(after, 0, count), here, sequence.slice(after, count)]);
    case 'splice': {
      const tail = recordings[other % recordings.length] ?? whole;
      return sequence.join([before, sequence.slice(tail, otherAt % (sequence.length(tail) + 1))]);
    }
    default:
      return kind satisfies never;
  }
}
