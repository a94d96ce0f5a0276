/**
 * Is a key that was found in the TPM of the kind that was asked for?
 *
 * ReadPublic is not authenticated and a handle says nothing: whatever somebody persisted at the handle of a storage
 * root key answers for it. Everything of the public area is compared except `unique`, which is the key itself.
 */
import { describeObjectAttributes, encodePublic } from '@endorse/tpm2';
import type { PublicArea } from '@endorse/tpm2';

/** What is different between a key and its template, for people; undefined when it is of the template's kind. */
export function findTemplateDifference(area: PublicArea, template: PublicArea): string | undefined {
  if (area.type !== template.type) return `type is ${area.type}, not ${template.type}`;
  if (area.nameAlg !== template.nameAlg) return `name algorithm is ${area.nameAlg}, not ${template.nameAlg}`;
  if (area.objectAttributes !== template.objectAttributes) {
    return describeAttributeDifference(area.objectAttributes, template.objectAttributes);
  }
  if (!Buffer.from(area.authPolicy).equals(template.authPolicy)) return 'authorization policy is another one';
  const actual = describeParameters(area);
  const expected = describeParameters(template);
  if (actual !== expected) return `parameters are ${actual}, not ${expected}`;
  // Whatever a later version of the structure may add.
  return Buffer.from(encodeKind(area)).equals(encodeKind(template))
    ? undefined
    : 'public area is another one';
}

function describeAttributeDifference(actual: number, expected: number): string {
  const missing = describeObjectAttributes((expected & ~actual) >>> 0);
  const excess = describeObjectAttributes((actual & ~expected) >>> 0);
  const parts = [
    ...(missing.length === 0 ? [] : [`lacks ${missing.join(', ')}`]),
    ...(excess.length === 0 ? [] : [`has ${excess.join(', ')}`]),
  ];
  return parts.join(' and ');
}

function describeParameters(area: PublicArea): string {
  const text = (value: unknown): string => JSON.stringify(value);
  switch (area.type) {
    case 'rsa':
      // An exponent of 0 is another way to write the default.
      return `RSA ${area.keyBits}, e=${area.exponent || 65_537}, ${text([area.symmetric, area.scheme])}`;
    case 'ecc':
      return `ECC ${area.curveId}, ${text([area.symmetric, area.scheme, area.kdf])}`;
    case 'keyedHash':
      return `keyed hash, ${text(area.scheme)}`;
    case 'symcipher':
      return `symmetric cipher, ${text(area.symmetric)}`;
    default:
      return unreachable(area);
  }
}

const none = new Uint8Array(0);

/** The public area without the key. */
function encodeKind(area: PublicArea): Uint8Array {
  switch (area.type) {
    case 'rsa':
      return encodePublic({ ...area, exponent: area.exponent === 65_537 ? 0 : area.exponent, unique: none });
    case 'ecc':
      return encodePublic({ ...area, unique: { x: none, y: none } });
    case 'keyedHash':
    case 'symcipher':
      return encodePublic({ ...area, unique: none });
    default:
      return unreachable(area);
  }
}

function unreachable(area: never): never {
  throw new TypeError(`unknown public area ${JSON.stringify(area)}`);
}
