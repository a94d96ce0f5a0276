/** The second exchange of the `/drs/` dialect: the decrypted nonce goes back, a progress URL is the reward. */
import { InvalidArgumentError, Secret } from '@endorse/interface';
import { encodeBase64 } from '../json/base64.ts';
import { JsonObjectReader } from '../json/json-object-reader.ts';
import { formatJson, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { maxRequestBytes, maxResponseBytes } from '../limits.ts';
import { maxCorrelationIdLength, maxProgressUrlLength } from './drs-register.ts';

/** The body of a trust confirmation. */
export interface DrsConfirmation {
  /** As it came with the challenge. */
  readonly correlationId: string;
  /** The nonce in clear, 1 to 1024 bytes. */
  readonly nonce: Secret;
}

/** Writes the body of a trust confirmation, which holds the nonce in clear. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function encodeDrsConfirmation({ correlationId, nonce }: DrsConfirmation): string {
  if (typeof correlationId !== 'string' || correlationId === '') {
    throw new InvalidArgumentError('confirmation.correlationId', 'must be a text');
  }
  if (nonce.byteLength < 1 || nonce.byteLength > maxNonceBytes) {
    const problem = `must have 1 to ${maxNonceBytes} bytes`;
    throw new InvalidArgumentError('confirmation.nonce', problem, 'ERR_OUT_OF_RANGE');
  }
  const bytes = nonce.reveal();
  try {
    return formatJson('trust confirmation', { correlationId, nonce: encodeBase64(bytes) });
  } finally {
    bytes.fill(0);
  }
}

/** Reads the body of a trust confirmation. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE` (default limit 96 KiB). */
export function decodeDrsConfirmation(input: JsonInput, options: JsonDecodeOptions = {}): DrsConfirmation {
  const reader = JsonObjectReader.parse('trust confirmation', input, options.maxBytes ?? maxRequestBytes);
  return {
    correlationId: reader.requiredString('correlationId', maxCorrelationIdLength),
    nonce: Secret.fromBytes(reader.requiredBytes('nonce', maxNonceBytes)),
  };
}

/** Writes the answer to a trust confirmation. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeDrsProgressUrl(progressUrl: string): string {
  if (typeof progressUrl !== 'string' || progressUrl === '' || progressUrl.length > maxProgressUrlLength) {
    throw new InvalidArgumentError('progressUrl', `must have 1 to ${maxProgressUrlLength} characters`);
  }
  return formatJson('progress URL', { progressUrl });
}

/** Reads `{"progressUrl": …}`; members beside it are ignored. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`. */
export function decodeDrsProgressUrl(input: JsonInput, options: JsonDecodeOptions = {}): string {
  const reader = JsonObjectReader.parse('progress URL', input, options.maxBytes ?? maxResponseBytes);
  return reader.requiredString('progressUrl', maxProgressUrlLength);
}

/** Largest nonce in clear, in bytes; what a TPM's credential holds has at most 32 to 64, encrypted data may have more. */
export const maxNonceBytes = 1024;
