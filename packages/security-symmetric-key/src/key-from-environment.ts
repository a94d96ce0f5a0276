import { InvalidArgumentError } from '@endorse/interface';
import type { Secret } from '@endorse/interface';
import { decodeKey } from './decode-key.ts';
import { KeySourceError } from './errors.ts';

/**
 * Reads a key in base64 from an environment variable. The variable stays set: remove it from
 * `process.env` when child processes must not inherit it.
 *
 * Throws `ERR_KEY_MISSING` when it is unset or blank, `ERR_KEY_NOT_BASE64`, `ERR_KEY_LENGTH` unless
 * the key has 16 to 64 bytes, and `ERR_INVALID_ARGUMENT` for an impossible name.
 */
export function keyFromEnvironment(variableName: string): Secret {
  if (typeof variableName !== 'string' || !/^[^=\0]+$/.test(variableName)) {
    throw new InvalidArgumentError('variableName', 'must be the name of an environment variable');
  }
  const title = `environment variable ${variableName}`;
  const text = process.env[variableName];
  if (text === undefined) {
    throw new KeySourceError('ERR_KEY_MISSING', variableName, `${title} is not set`, {
      remedy: `Set ${variableName} to the key of the enrollment, in base64 as the service shows it.`,
    });
  }
  return decodeKey(text, { source: variableName, title });
}
