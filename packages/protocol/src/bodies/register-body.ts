import type { JsonObject, JsonValue, RegistrationInfo } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { findRegistrationIdProblem, validateRegistrationId } from '../identifiers/registration-id.ts';
import { encodeBase64 } from '../json/base64.ts';
import { JsonObjectReader, definedFields } from '../json/json-object-reader.ts';
import { assertJsonValue, formatJson, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { maxRequestBytes, maxTpmPublicBytes } from '../limits.ts';

/** The body of a register request, decoded. Every field is optional: some clients send less than others. */
export interface RegisterBody {
  readonly registrationId?: string;
  /** TPM2B_PUBLIC of the endorsement key. */
  readonly endorsementKey?: Uint8Array;
  /** TPM2B_PUBLIC of the storage root key. */
  readonly storageRootKey?: Uint8Array;
  /** Custom payload for the allocation function. */
  readonly payload?: JsonValue;
  /** DER of a PKCS#10 certificate request; api-version 2025-07-01-preview and later. */
  readonly csr?: Uint8Array;
  /** Fields this version does not know. */
  readonly extra?: JsonObject;
}

/**
 * Writes the body of a register request.
 * Throws `ERR_INVALID_ARGUMENT`, or `ERR_LOCAL_UNENCODABLE` when it exceeds 96 KiB.
 */
export function encodeRegisterBody(info: RegistrationInfo & { readonly csr?: Uint8Array }): string {
  const { endorsementKey, storageRootKey, payload, csr } = info;
  if (storageRootKey !== undefined && endorsementKey === undefined) {
    throw new InvalidArgumentError('info.endorsementKey', 'must be given together with the storage root key');
  }
  if (payload !== undefined) assertJsonValue('info.payload', payload);
  const tpm = endorsementKey && {
    endorsementKey: encodeBase64(tpmPublic('info.endorsementKey', endorsementKey)),
    storageRootKey: storageRootKey && encodeBase64(tpmPublic('info.storageRootKey', storageRootKey)),
  };
  return formatJson('register request', {
    registrationId: validateRegistrationId(info.registrationId, 'info.registrationId'),
    tpm,
    payload,
    csr: csr && encodeBase64(csr),
  });
}

/**
 * Reads the body of a register request. An empty input is an empty body: the official C# client
 * sends that over AMQP. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE` (default limit 96 KiB).
 */
export function decodeRegisterBody(input: JsonInput, options: JsonDecodeOptions = {}): RegisterBody {
  if (input.length === 0) return {};
  const reader = JsonObjectReader.parse('register request', input, options.maxBytes ?? maxRequestBytes);
  const registrationId = reader.optionalString('registrationId', 1024);
  const problem = registrationId === undefined ? undefined : findRegistrationIdProblem(registrationId);
  if (problem !== undefined) throw reader.problem('registrationId', problem);
  const tpm = reader.optionalReader('tpm');
  return definedFields({
    registrationId,
    endorsementKey: tpm?.requiredBytes('endorsementKey', maxTpmPublicBytes),
    storageRootKey: tpm?.optionalBytes('storageRootKey', maxTpmPublicBytes),
    payload: reader.optionalValue('payload'),
    csr: reader.optionalBytes('csr', 16_384),
    extra: reader.rest(),
  });
}

function tpmPublic(argument: string, bytes: Uint8Array): Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw new InvalidArgumentError(argument, 'must be a Uint8Array');
  if (bytes.byteLength > 2 && bytes.byteLength <= maxTpmPublicBytes) return bytes;
  throw new InvalidArgumentError(argument, `must have 3 to ${maxTpmPublicBytes} bytes`, 'ERR_OUT_OF_RANGE');
}
