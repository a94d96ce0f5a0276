import { Secret } from '@endorse/interface';
import { KeySourceError } from './errors.ts';
import { findKeyLengthProblem } from './key-length.ts';

/** A place where a key in base64 was found. */
export interface KeyPlace {
  /** Name of the variable, or path of the file. */
  readonly source: string;
  /** The same for messages: `environment variable X`, `key file X`. */
  readonly title: string;
}

const howToFill =
  'Put the primary or secondary key of the enrollment there, in base64 as the service shows it, and nothing else.';

/**
 * Decodes the key found at `place`; white space around it is ignored.
 * Throws `ERR_KEY_MISSING`, `ERR_KEY_NOT_BASE64` or `ERR_KEY_LENGTH`; no message holds what was found.
 */
export function decodeKey(text: string, { source, title }: KeyPlace): Secret {
  const trimmed = text.trim();
  if (trimmed === '') {
    throw new KeySourceError('ERR_KEY_MISSING', source, `${title} is empty`, { remedy: howToFill });
  }
  const key = fromBase64(trimmed);
  if (key === undefined) {
    throw new KeySourceError('ERR_KEY_NOT_BASE64', source, `${title} does not hold base64`, {
      remedy: howToFill,
    });
  }
  const problem = findKeyLengthProblem(key.byteLength);
  if (problem !== undefined) {
    key.dispose();
    throw new KeySourceError('ERR_KEY_LENGTH', source, `the key in ${title} ${problem}`, {
      remedy: howToFill,
    });
  }
  return key;
}

// Without the error of the decoder as cause: whatever it quotes would be part of a key.
function fromBase64(text: string): Secret | undefined {
  try {
    return Secret.fromBase64(text);
  } catch {
    return undefined;
  }
}
