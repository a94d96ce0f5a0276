/** Oracle: the test vectors of RFC 4648 section 10, without padding and in lower case. */
import { expect, test } from 'vitest';
import { encodeBase32 } from '../src/identifiers/base32.ts';

test.each([
  ['', ''],
  ['f', 'my'],
  ['fo', 'mzxq'],
  ['foo', 'mzxw6'],
  ['foob', 'mzxw6yq'],
  ['fooba', 'mzxw6ytb'],
  ['foobar', 'mzxw6ytboi'],
])('%j is %j', (text, expected) => {
  expect(encodeBase32(new TextEncoder().encode(text))).toBe(expected);
});
