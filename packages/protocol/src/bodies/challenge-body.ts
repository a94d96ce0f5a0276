import type { AuthenticationChallenge, JsonObject } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { encodeBase64 } from '../json/base64.ts';
import { JsonObjectReader, definedFields } from '../json/json-object-reader.ts';
import { formatJson, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { maxActivationBlobBytes, maxResponseBytes } from '../limits.ts';
import { registrationKeyName } from '../sas/sas-token.ts';

/** The body of a 401 answer that carries a challenge, decoded. */
export interface ChallengeBody extends AuthenticationChallenge {
  /** Text for people. */
  readonly message?: string;
  /** Fields this version does not know. */
  readonly extra?: JsonObject;
}

/**
 * Writes a challenge with the service's own text and field order.
 * Throws `ERR_OUT_OF_RANGE` for an empty blob or one above 8 KiB.
 */
export function encodeChallengeBody(challenge: {
  readonly activationBlob: Uint8Array;
  /** Default `registration`. */
  readonly keyName?: string | undefined;
  /** Default: the service's text. */
  readonly message?: string | undefined;
}): string {
  const { activationBlob } = challenge;
  if (!(activationBlob instanceof Uint8Array)) {
    throw new InvalidArgumentError('challenge.activationBlob', 'must be a Uint8Array');
  }
  if (activationBlob.byteLength < 1 || activationBlob.byteLength > maxActivationBlobBytes) {
    const problem = `must have 1 to ${maxActivationBlobBytes} bytes`;
    throw new InvalidArgumentError('challenge.activationBlob', problem, 'ERR_OUT_OF_RANGE');
  }
  return formatJson('challenge', {
    message: challenge.message ?? 'Authorization required, resend request using supplied key',
    authenticationKey: encodeBase64(activationBlob),
    // The service writes this null; a key in it would defeat the TPM.
    unencryptedAuthenticationKey: null,
    keyName: challenge.keyName ?? registrationKeyName,
  });
}

/**
 * Reads a challenge. `keyName` defaults to `registration`, as in the official C# client.
 * Throws `ERR_REMOTE_MALFORMED` when there is no `authenticationKey`, or `ERR_REMOTE_TOO_LARGE`.
 */
export function decodeChallengeBody(input: JsonInput, options: JsonDecodeOptions = {}): ChallengeBody {
  return readChallenge(JsonObjectReader.parse('challenge', input, options.maxBytes ?? maxResponseBytes));
}

/**
 * Reads a 401 body that may be a challenge; undefined when it is an object without `authenticationKey`,
 * which is how the service refuses a token. Throws as {@link decodeChallengeBody}.
 */
export function tryDecodeChallengeBody(
  input: JsonInput,
  options: JsonDecodeOptions = {},
): ChallengeBody | undefined {
  const reader = JsonObjectReader.parse('challenge', input, options.maxBytes ?? maxResponseBytes);
  return reader.optionalValue('authenticationKey') === undefined ? undefined : readChallenge(reader);
}

function readChallenge(reader: JsonObjectReader): ChallengeBody {
  const activationBlob = reader.requiredBytes('authenticationKey', maxActivationBlobBytes);
  // An early service sent the key in clear here; it must end up neither in `extra` nor in a log.
  reader.optionalValue('unencryptedAuthenticationKey');
  return definedFields({
    activationBlob,
    keyName: reader.optionalString('keyName', 128) ?? registrationKeyName,
    message: reader.optionalString('message', 4096),
    extra: reader.rest(),
  });
}
