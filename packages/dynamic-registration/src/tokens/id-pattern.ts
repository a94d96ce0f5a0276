/** What a pattern may hold, for messages. */
export const idPatternSyntax = '* stands for any run of characters, ? for any one, # for a digit';

/**
 * Whether a manufacturer id is one that a pattern covers. In a pattern `*` stands for any run of characters, `?` for any
 * one and `#` for one digit; everything else, case included, for itself.
 *
 * No regular expression: the pattern comes from a token and the id from a device, and the time this takes is at
 * most the product of their lengths.
 */
export function matchesIdPattern(pattern: string, manufacturerId: string): boolean {
  // By code point, so that `?` is not half a character.
  const wanted = Array.from(pattern);
  const given = Array.from(manufacturerId);
  let inPattern = 0;
  let inId = 0;
  // Where to go on when the run that the last `*` stands for has to be longer.
  let starInPattern = -1;
  let starInId = 0;
  while (inId < given.length) {
    const symbol = wanted[inPattern];
    if (symbol === '*') {
      starInPattern = inPattern;
      starInId = inId;
      inPattern += 1;
    } else if (symbol !== undefined && matchesOne(symbol, given[inId] ?? '')) {
      inPattern += 1;
      inId += 1;
    } else if (starInPattern >= 0) {
      starInId += 1;
      inId = starInId;
      inPattern = starInPattern + 1;
    } else {
      return false;
    }
  }
  return wanted.slice(inPattern).every((symbol) => symbol === '*');
}

function matchesOne(symbol: string, character: string): boolean {
  if (symbol === '?') return true;
  return symbol === '#' ? /^[0-9]$/.test(character) : symbol === character;
}
