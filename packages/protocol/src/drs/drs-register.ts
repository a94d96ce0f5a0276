/** The first exchange of the `/drs/` dialect: `register-me`, answered with an operation or with a challenge. */
import type { JsonValue } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { findOperationIdProblem, validateOperationId } from '../identifiers/operation-id.ts';
import { findRegistrationIdProblem, validateRegistrationId } from '../identifiers/registration-id.ts';
import { encodeBase64 } from '../json/base64.ts';
import { JsonObjectReader, definedFields } from '../json/json-object-reader.ts';
import { assertJsonValue, formatJson, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { maxActivationBlobBytes, maxRequestBytes, maxResponseBytes, maxTpmPublicBytes } from '../limits.ts';

/** The body of a `register-me` request. */
export interface DrsRegisterBody {
  readonly registrationId: string;
  /** TPM2B_PUBLIC of the endorsement key. */
  readonly endorsementKey: Uint8Array;
  /** Custom properties of the device; written as `null` when absent. */
  readonly properties?: JsonValue;
}

/** The challenge of a 401 answer to `register-me`. */
export interface DrsChallenge {
  /** Names the challenge; goes back with the answer. 1 to 256 characters. */
  readonly correlationId: string;
  /** The nonce, encrypted for the TPM; see `splitNonceBlob`. */
  readonly nonce: Uint8Array;
}

/** The operation of a 2xx answer to `register-me`. */
export interface DrsOperation {
  readonly operationId: string;
  /** Where the operation is watched; absent: at the target of its id. */
  readonly progressUrl?: string;
}

/** Writes the body of `register-me`. Throws `ERR_INVALID_ARGUMENT`, `ERR_OUT_OF_RANGE` or `ERR_LOCAL_UNENCODABLE`. */
export function encodeDrsRegisterBody(body: DrsRegisterBody): string {
  const { registrationId, endorsementKey, properties = null } = body;
  const bytes: unknown = endorsementKey;
  if (!(bytes instanceof Uint8Array)) {
    throw new InvalidArgumentError('body.endorsementKey', 'must be a Uint8Array');
  }
  if (bytes.byteLength < 3 || bytes.byteLength > maxTpmPublicBytes) {
    const problem = `must have 3 to ${maxTpmPublicBytes} bytes`;
    throw new InvalidArgumentError('body.endorsementKey', problem, 'ERR_OUT_OF_RANGE');
  }
  assertJsonValue('body.properties', properties);
  return formatJson('register-me request', {
    registrationId: validateRegistrationId(registrationId, 'body.registrationId'),
    attestation: { tpm: { endorsementKey: encodeBase64(endorsementKey) } },
    properties,
  });
}

/** Reads the body of `register-me`. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE` (default limit 96 KiB). */
export function decodeDrsRegisterBody(input: JsonInput, options: JsonDecodeOptions = {}): DrsRegisterBody {
  const reader = JsonObjectReader.parse('register-me request', input, options.maxBytes ?? maxRequestBytes);
  const registrationId = reader.requiredString('registrationId', 1024);
  const problem = findRegistrationIdProblem(registrationId);
  if (problem !== undefined) throw reader.problem('registrationId', problem);
  const tpm = reader.requiredReader('attestation').requiredReader('tpm');
  return definedFields({
    registrationId,
    endorsementKey: tpm.requiredBytes('endorsementKey', maxTpmPublicBytes),
    properties: reader.optionalValue('properties'),
  });
}

/** Writes a challenge. Throws `ERR_INVALID_ARGUMENT` for an empty part. */
export function encodeDrsChallenge({ correlationId, nonce }: DrsChallenge): string {
  if (typeof correlationId !== 'string' || correlationId === '') {
    throw new InvalidArgumentError('challenge.correlationId', 'must be a text');
  }
  if (!(nonce instanceof Uint8Array) || nonce.byteLength === 0) {
    throw new InvalidArgumentError('challenge.nonce', 'must be a Uint8Array with something in it');
  }
  return formatJson('challenge', { correlationId, nonce: encodeBase64(nonce) });
}

/**
 * Reads a 401 body that may be a challenge; undefined when it has neither a correlation id nor a nonce, which is a
 * plain refusal. The nonce may be called `authenticationKey`, as it is in the protocol that came after.
 * Throws `ERR_REMOTE_MALFORMED` (one without the other, too) or `ERR_REMOTE_TOO_LARGE`.
 */
export function tryDecodeDrsChallenge(
  input: JsonInput,
  options: JsonDecodeOptions = {},
): DrsChallenge | undefined {
  const reader = JsonObjectReader.parse('challenge', input, options.maxBytes ?? maxResponseBytes);
  const nonceField = reader.optionalValue('nonce') === undefined ? 'authenticationKey' : 'nonce';
  if (reader.optionalValue('correlationId') === undefined && reader.optionalValue(nonceField) === undefined) {
    return undefined;
  }
  return {
    correlationId: reader.requiredString('correlationId', maxCorrelationIdLength),
    nonce: reader.requiredBytes(nonceField, maxActivationBlobBytes),
  };
}

/** Writes the operation that a registration became. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeDrsOperation({ operationId, progressUrl }: DrsOperation): string {
  return formatJson('operation', {
    operationId: validateOperationId(operationId),
    status: 'assigning',
    progressUrl,
  });
}

/** Reads `{"operationId": …, "status": "assigning"}`. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`. */
export function decodeDrsOperation(input: JsonInput, options: JsonDecodeOptions = {}): DrsOperation {
  const reader = JsonObjectReader.parse('operation', input, options.maxBytes ?? maxResponseBytes);
  const operationId = reader.requiredString('operationId', 1024);
  const problem = findOperationIdProblem(operationId);
  if (problem !== undefined) throw reader.problem('operationId', problem);
  if (reader.requiredString('status', 64) !== 'assigning') {
    throw reader.problem('status', 'must be assigning', reader.requiredString('status', 64));
  }
  return definedFields({
    operationId,
    progressUrl: reader.optionalString('progressUrl', maxProgressUrlLength),
  });
}

/** Longest correlation id, in characters. */
export const maxCorrelationIdLength = 256;

/** Longest progress URL, in characters. */
export const maxProgressUrlLength = 2048;
