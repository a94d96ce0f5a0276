/** Oracle for "near": a word with one change of a typist's kind is always suggested, an unrelated one never. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { suggest } from '../src/command/suggest.ts';

const names = ['host', 'id-scope', 'transport', 'registration-id', 'endorsement-auth-env', 'timeout-ms'];

test('one letter too few, too many, wrong or swapped is understood', () => {
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.nat(), fc.nat(3), (name, seed, kind) => {
      const at = seed % (name.length - 1);
      const typed = [
        name.slice(0, at) + name.slice(at + 1),
        `${name.slice(0, at)}x${name.slice(at)}`,
        `${name.slice(0, at)}x${name.slice(at + 1)}`,
        name.slice(0, at) + name.charAt(at + 1) + name.charAt(at) + name.slice(at + 2),
      ][kind];
      expect(suggest(typed ?? '', names)).toBe(name);
    }),
  );
});

test('what has nothing in common is not guessed', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9]{1,12}$/), (typed) => {
      expect(suggest(typed, names)).toBeUndefined();
    }),
  );
});
