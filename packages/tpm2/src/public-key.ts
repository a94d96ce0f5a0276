import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { InvalidArgumentError } from '@endorse/interface';
import type { EccCurve } from './algorithms.ts';
import { toHex } from './bytes/bytes.ts';
import type { EccPublic, PublicArea, RsaPublic } from './structures/public-area.ts';

/** A curve as node:crypto knows it. */
export interface CurveParameters {
  /** Name in a JSON Web Key. */
  readonly jwkName: string;
  /** Name in OpenSSL. */
  readonly opensslName: string;
  /** Size of a coordinate, in bytes. */
  readonly fieldBytes: number;
  /** Order of the base point. */
  readonly order: bigint;
}

const curves: Readonly<Partial<Record<EccCurve, CurveParameters>>> = {
  nistP256: {
    jwkName: 'P-256',
    opensslName: 'prime256v1',
    fieldBytes: 32,
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  nistP384: {
    jwkName: 'P-384',
    opensslName: 'secp384r1',
    fieldBytes: 48,
    order:
      0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  nistP521: {
    jwkName: 'P-521',
    opensslName: 'secp521r1',
    fieldBytes: 66,
    order:
      0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
};

/** Parameters of a curve. Throws `ERR_INVALID_ARGUMENT` for one that this package cannot compute with. */
export function curveParameters(curve: EccCurve): CurveParameters {
  const parameters = curves[curve];
  if (parameters === undefined) {
    throw new InvalidArgumentError(
      'area.curveId',
      `is ${curve}; supported are ${Object.keys(curves).join(', ')}`,
    );
  }
  return parameters;
}

/**
 * Keys that were made before, by what they were made from: importing one costs as much as encrypting to it.
 * A server meets the same EK and SRK twice or more per registration, 256 of them cover the ones in flight.
 */
const cache = new Map<string, KeyObject>();
const maxCachedKeys = 256;

/**
 * The public key inside a public area, as node:crypto's key object.
 * Throws `ERR_INVALID_ARGUMENT` for an area that holds no RSA or ECC key, a modulus of the wrong size, a point that is
 * not on its curve, or a curve other than P-256, P-384 and P-521.
 */
export function publicKeyFromArea(area: PublicArea): KeyObject {
  const identity = identityOf(area);
  const known = cache.get(identity);
  // Deleting and setting again keeps the map in order of use, so that the first key is the one to drop.
  if (known !== undefined) cache.delete(identity);
  const key = known ?? importKey(area);
  cache.set(identity, key);
  if (cache.size > maxCachedKeys) {
    const oldest = cache.keys().next();
    if (oldest.done !== true) cache.delete(oldest.value);
  }
  return key;
}

/** A coordinate padded to the size of its field, as current TPMs store it. */
export function padCoordinate(coordinate: Uint8Array, fieldBytes: number): Uint8Array {
  if (coordinate.byteLength > fieldBytes) {
    throw new InvalidArgumentError(
      'area.unique',
      'has a coordinate longer than its field',
      'ERR_OUT_OF_RANGE',
    );
  }
  const padded = new Uint8Array(fieldBytes);
  padded.set(coordinate, fieldBytes - coordinate.byteLength);
  return padded;
}

function identityOf(area: PublicArea): string {
  switch (area.type) {
    case 'rsa':
      return `rsa ${area.exponent} ${toHex(requireModulus(area))}`;
    case 'ecc':
      return `${area.curveId} ${toHex(area.unique.x)} ${toHex(area.unique.y)}`;
    default:
      throw new InvalidArgumentError('area.type', `is ${area.type}, which has no public key`);
  }
}

function importKey(area: PublicArea): KeyObject {
  const jwk = area.type === 'rsa' ? rsaJwk(area) : eccJwk(area as EccPublic);
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    // The foreign error says no more than this and may quote the input.
    throw new InvalidArgumentError('area.unique', 'is not a usable public key');
  }
}

function rsaJwk(area: RsaPublic): { kty: string; n: string; e: string } {
  const exponent = area.exponent === 0 ? 65_537 : area.exponent;
  const hex = exponent.toString(16);
  return {
    kty: 'RSA',
    n: Buffer.from(area.unique).toString('base64url'),
    e: Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url'),
  };
}

function eccJwk(area: EccPublic): { kty: string; crv: string; x: string; y: string } {
  const { jwkName, fieldBytes } = curveParameters(area.curveId);
  const coordinate = (bytes: Uint8Array): string =>
    Buffer.from(padCoordinate(bytes, fieldBytes)).toString('base64url');
  return { kty: 'EC', crv: jwkName, x: coordinate(area.unique.x), y: coordinate(area.unique.y) };
}

function requireModulus(area: RsaPublic): Uint8Array {
  const size = area.keyBits / 8;
  const { unique } = area;
  // A modulus has its top bit set and is odd; a template's zeros are neither.
  if (unique.byteLength !== size || ((unique[0] ?? 0) & 0x80) === 0 || ((unique[size - 1] ?? 0) & 1) === 0) {
    throw new InvalidArgumentError('area.unique', `is not a modulus of ${area.keyBits} bits`);
  }
  return unique;
}
