/**
 * TPMA_OBJECT (Part 2, 8.3): what an object may be used for, as bits of a 32-bit integer.
 * Add the ones that are needed: `objectAttributes.sign | objectAttributes.userWithAuth`.
 */
export const objectAttributes = {
  fixedTpm: 0x0000_0002,
  stClear: 0x0000_0004,
  fixedParent: 0x0000_0010,
  sensitiveDataOrigin: 0x0000_0020,
  userWithAuth: 0x0000_0040,
  adminWithPolicy: 0x0000_0080,
  firmwareLimited: 0x0000_0100,
  svnLimited: 0x0000_0200,
  noDa: 0x0000_0400,
  encryptedDuplication: 0x0000_0800,
  restricted: 0x0001_0000,
  decrypt: 0x0002_0000,
  /** `sign`; the same bit is `encrypt` for a symmetric cipher. */
  sign: 0x0004_0000,
  x509Sign: 0x0008_0000,
} as const;

/** Name of one attribute of {@link objectAttributes}. */
export type ObjectAttribute = keyof typeof objectAttributes;

/** The names of the attributes that are set, in bit order; bits without a name are written as `bit 20`. */
export function describeObjectAttributes(attributes: number): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit += 1) {
    const mask = 2 ** bit;
    if (((attributes >>> bit) & 1) === 0) continue;
    const known = Object.entries(objectAttributes).find(([, value]) => value === mask);
    names.push(known === undefined ? `bit ${bit}` : known[0]);
  }
  return names;
}
