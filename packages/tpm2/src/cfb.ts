import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { InvalidArgumentError } from '@endorse/interface';
import { concatBytes, emptyBytes, requireBytes } from './bytes/bytes.ts';
import type { SymmetricDefinition } from './structures/symmetric.ts';

/** Block size of every cipher that can protect keys here, in bytes. */
export const cipherBlockSize = 16;

const noIv = new Uint8Array(cipherBlockSize);

/** Encrypts in CFB mode with full-block feedback (Part 1, 11.4); the IV is zero unless given. */
export function encryptCfb(
  symmetric: SymmetricDefinition,
  key: Uint8Array,
  data: Uint8Array,
  iv: Uint8Array = noIv,
): Uint8Array {
  const name = cipherName(symmetric, key);
  if (data.byteLength === 0) return emptyBytes;
  // A key object, for the reason given at `hmac`.
  const cipher = createCipheriv(name, createSecretKey(key), iv);
  return concatBytes(cipher.update(data), cipher.final());
}

/** Decrypts what {@link encryptCfb} made. */
export function decryptCfb(
  symmetric: SymmetricDefinition,
  key: Uint8Array,
  data: Uint8Array,
  iv: Uint8Array = noIv,
): Uint8Array {
  const name = cipherName(symmetric, key);
  if (data.byteLength === 0) return emptyBytes;
  const cipher = createDecipheriv(name, createSecretKey(key), iv);
  return concatBytes(cipher.update(data), cipher.final());
}

function cipherName(symmetric: SymmetricDefinition, key: Uint8Array): string {
  if (symmetric.mode !== 'cfb') throw new InvalidArgumentError('symmetric.mode', 'must be cfb');
  const size = symmetric.keyBits / 8;
  requireBytes('key', key, { minimum: size, maximum: size });
  switch (symmetric.algorithm) {
    case 'aes':
    case 'camellia':
      return `${symmetric.algorithm}-${symmetric.keyBits}-cfb`;
    case 'sm4':
      return 'sm4-cfb';
    case 'tdes':
      throw new InvalidArgumentError('symmetric.algorithm', 'is tdes, which is not supported');
    default:
      throw new InvalidArgumentError(
        'symmetric.algorithm',
        `is unknown: ${String(symmetric.algorithm satisfies never)}`,
      );
  }
}
