/**
 * The few DER encodings that a certificate needs (ITU-T X.690). Writing only: what comes
 * back from a file is parsed by `node:crypto`.
 */

/** One tag, its length and its contents. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(body.byteLength)]), body]);
}

/** SEQUENCE. */
export function derSequence(...items: readonly Uint8Array[]): Uint8Array {
  return der(0x30, ...items);
}

/** SET with members that are already in order. */
export function derSet(...items: readonly Uint8Array[]): Uint8Array {
  return der(0x31, ...items);
}

/** Context-specific, constructed tag `[number]`. */
export function derExplicit(number: number, ...contents: readonly Uint8Array[]): Uint8Array {
  return der(0xa0 | number, ...contents);
}

/** INTEGER of a non-negative big-endian number. */
export function derInteger(bigEndian: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bigEndian.byteLength - 1 && bigEndian[start] === 0) start += 1;
  const minimal = bigEndian.subarray(start);
  // A leading one bit would make it negative.
  return der(0x02, (minimal[0] ?? 0) & 0x80 ? Uint8Array.of(0) : Uint8Array.of(), minimal);
}

/** BOOLEAN TRUE. */
export const derTrue: Uint8Array = Uint8Array.of(0x01, 0x01, 0xff);

/** OBJECT IDENTIFIER from its dotted form. */
export function derObjectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** OCTET STRING. */
export function derOctetString(...contents: readonly Uint8Array[]): Uint8Array {
  return der(0x04, ...contents);
}

/** BIT STRING; `unusedBits` counts the padding at the end of the last byte. */
export function derBitString(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  return der(0x03, Uint8Array.of(unusedBits), bytes);
}

/** UTF8String. */
export function derUtf8(text: string): Uint8Array {
  return der(0x0c, Buffer.from(text, 'utf8'));
}

/** Time as RFC 5280 wants it: UTCTime before 2050, GeneralizedTime from then on. */
export function derTime(atMs: number): Uint8Array {
  const digits = new Date(atMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return digits < '2050' ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

function base128(value: number): readonly number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128));
  }
  return bytes;
}
