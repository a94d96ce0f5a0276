import * as fc from 'fast-check';
import type { Rearrangement, Sequence } from './rearrangement.ts';
import { rearrange, rearrangements } from './rearrangement.ts';

/** Names that every object has of itself: what looks a peer's word up in one finds more than was put in. */
export const inheritedNames: readonly string[] = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'prototype',
  'toString',
  'valueOf',
];

/** One change to text. */
type TextMutation =
  | Rearrangement
  | { readonly kind: 'insert' | 'change'; readonly at: number; readonly text: string };

const textSequence: Sequence<string> = {
  length: (whole) => whole.length,
  slice: (whole, from, to) => whole.slice(from, to),
  join: (parts) => parts.join(''),
};

/** What separates, escapes or means something in the texts of these protocols, and what is no character. */
const tokens = [
  ...Array.from('%&=/?#;:.,+*$@[]{}"\\ \n\r\t\0'),
  '%00',
  '%2f',
  '%ff',
  '%zz',
  '//',
  '../',
  '\u{feff}',
  '\ud800',
  '\udc00',
  'ı',
  'İ',
  '１',
  '-1',
  '1e999',
  '9007199254740993',
  '18446744073709551616',
  ...inheritedNames,
];

const textMutations: fc.Arbitrary<TextMutation> = fc.oneof(
  rearrangements(512),
  fc.record({
    kind: fc.constantFrom('insert', 'change'),
    at: fc.nat(),
    text: fc.oneof(fc.constantFrom(...tokens), fc.string({ unit: 'binary', minLength: 1, maxLength: 4 })),
  }),
);

function mutateText(whole: string, mutation: TextMutation, recordings: readonly string[]): string {
  if (!('text' in mutation)) {
    return rearrange(textSequence, whole, mutation, recordings);
  }
  const at = mutation.at % (whole.length + 1);
  return (
    whole.slice(0, at) +
    mutation.text +
    whole.slice(at + (mutation.kind === 'change' ? mutation.text.length : 0))
  );
}

/** Recordings with up to four changes, some with none, and some text that nobody recorded. */
export function mutatedText(recordings: readonly string[]): fc.Arbitrary<string> {
  const mutated = fc
    .tuple(fc.constantFrom(...recordings), fc.array(textMutations, { maxLength: 4 }))
    .map(([whole, mutations]) =>
      mutations.reduce((text, mutation) => mutateText(text, mutation, recordings), whole),
    );
  return fc.oneof(
    { weight: 9, arbitrary: mutated },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    { weight: 1, arbitrary: fc.constantFrom(...inheritedNames) },
  );
}
