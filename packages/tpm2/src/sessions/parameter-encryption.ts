/**
 * Encryption of a command's or response's first parameter (Part 1, 21).
 *
 * Only a TPM2B can be encrypted, and its size stays clear. The key is derived anew for each command from
 * sessionKey ‖ authValue and both nonces; unlike in the HMAC, the authorization value counts here even when the session is
 * bound to the entity.
 */
import { InvalidArgumentError } from '@endorse/interface';
import { concatBytes, requireBytes, trimTrailingZeros } from '../bytes/bytes.ts';
import { cipherBlockSize, decryptCfb, encryptCfb } from '../cfb.ts';
import { TpmDecodeError } from '../errors.ts';
import { kdfa } from '../kdf.ts';
import type { SessionSymmetricDefinition, SymmetricDefinition } from '../structures/symmetric.ts';
import type { SessionKeys } from './session-hmac.ts';

/** What encrypts one parameter. */
export interface ParameterEncryptionOptions extends SessionKeys {
  /** Cipher of the session, as it was started. */
  readonly symmetric: SessionSymmetricDefinition;
  /** For a command the caller's nonce, for a response the TPM's. */
  readonly nonceNewer: Uint8Array;
  /** For a command the TPM's last nonce, for a response the caller's. */
  readonly nonceOlder: Uint8Array;
}

/** Encrypts the content of a TPM2B, without its size. Throws `ERR_INVALID_ARGUMENT` for a cipher other than XOR or CFB. */
export function encryptParameter(options: ParameterEncryptionOptions, data: Uint8Array): Uint8Array {
  const { symmetric } = options;
  if (symmetric.algorithm === 'xor') return obfuscate(options, symmetric.hash, data);
  const { key, iv } = cipherKey(options, symmetric);
  return encryptCfb(symmetric, key, data, iv);
}

/** The inverse of {@link encryptParameter}. */
export function decryptParameter(options: ParameterEncryptionOptions, data: Uint8Array): Uint8Array {
  const { symmetric } = options;
  if (symmetric.algorithm === 'xor') return obfuscate(options, symmetric.hash, data);
  const { key, iv } = cipherKey(options, symmetric);
  return decryptCfb(symmetric, key, data, iv);
}

/** Encrypts the TPM2B at the start of a parameter area. Throws `ERR_INVALID_ARGUMENT` when there is none. */
export function encryptFirstParameter(
  options: ParameterEncryptionOptions,
  parameters: Uint8Array,
): Uint8Array {
  const end = firstParameterEnd(parameters);
  if (end === undefined) throw new InvalidArgumentError('parameters', 'do not start with a TPM2B');
  return concatBytes(
    parameters.subarray(0, 2),
    encryptParameter(options, parameters.subarray(2, end)),
    parameters.subarray(end),
  );
}

/** Decrypts the TPM2B at the start of a parameter area. Throws `ERR_TPM_MALFORMED` when there is none. */
export function decryptFirstParameter(
  options: ParameterEncryptionOptions,
  parameters: Uint8Array,
): Uint8Array {
  const end = firstParameterEnd(parameters);
  if (end === undefined) throw new TpmDecodeError('parameters', 0, 'do not start with a TPM2B');
  return concatBytes(
    parameters.subarray(0, 2),
    decryptParameter(options, parameters.subarray(2, end)),
    parameters.subarray(end),
  );
}

function firstParameterEnd(parameters: Uint8Array): number | undefined {
  requireBytes('parameters', parameters);
  if (parameters.byteLength < 2) return undefined;
  const end = 2 + (((parameters[0] ?? 0) << 8) | (parameters[1] ?? 0));
  return end <= parameters.byteLength ? end : undefined;
}

function cipherKey(
  options: ParameterEncryptionOptions,
  symmetric: SymmetricDefinition,
): { readonly key: Uint8Array; readonly iv: Uint8Array } {
  const keyBytes = symmetric.keyBits / 8;
  const bits = symmetric.keyBits + cipherBlockSize * 8;
  const material = kdfa(
    options.hash,
    sessionValue(options),
    'CFB',
    options.nonceNewer,
    options.nonceOlder,
    bits,
  );
  return { key: material.slice(0, keyBytes), iv: material.slice(keyBytes) };
}

/** XOR obfuscation (Part 1, 21.2). */
function obfuscate(
  options: ParameterEncryptionOptions,
  hash: SessionKeys['hash'],
  data: Uint8Array,
): Uint8Array {
  const { nonceNewer, nonceOlder } = options;
  const mask = kdfa(hash, sessionValue(options), 'XOR', nonceNewer, nonceOlder, data.byteLength * 8);
  return new Uint8Array(data.map((byte, index) => byte ^ (mask[index] ?? 0)));
}

function sessionValue({ sessionKey, authValue }: SessionKeys): Uint8Array {
  return concatBytes(sessionKey, trimTrailingZeros(authValue));
}
