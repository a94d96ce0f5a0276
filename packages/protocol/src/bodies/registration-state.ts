import type { RegistrationState, RegistrationStatus } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { encodeBase64 } from '../json/base64.ts';
import { JsonObjectReader, definedFields, withExtra } from '../json/json-object-reader.ts';
import { assertJsonValue, formatJson, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { malformed } from '../json/malformed.ts';
import { maxActivationBlobBytes, maxResponseBytes } from '../limits.ts';

/** Every status word, in the order a registration goes through them. */
export const registrationStatuses: readonly RegistrationStatus[] = Object.freeze([
  'unassigned',
  'assigning',
  'assigned',
  'failed',
  'disabled',
]);

/** Writes a registration state on its own, the answer to a status lookup. Throws as {@link registrationStateToJson}. */
export function encodeRegistrationState(state: RegistrationState): string {
  return formatJson('registration state', registrationStateToJson(state), maxResponseBytes);
}

/** Reads the answer to a status lookup. Throws `ERR_REMOTE_MALFORMED`, `ERR_REMOTE_UNEXPECTED` or `ERR_REMOTE_TOO_LARGE`. */
export function decodeRegistrationState(
  input: JsonInput,
  options: JsonDecodeOptions = {},
): RegistrationState {
  return readRegistrationState(
    JsonObjectReader.parse('registration state', input, options.maxBytes ?? maxResponseBytes),
  );
}

/** The wire form of a state: the blob in base64, `extra` spread out behind the known fields. Throws `ERR_INVALID_ARGUMENT`. */
export function registrationStateToJson(state: RegistrationState): Readonly<Record<string, unknown>> {
  const { extra, tpm, status, ...known } = state;
  if (status !== undefined && !registrationStatuses.includes(status)) {
    throw new InvalidArgumentError('state.status', `must be one of ${registrationStatuses.join(', ')}`);
  }
  const blob = tpm?.authenticationKey;
  if (blob !== undefined && !(blob instanceof Uint8Array)) {
    throw new InvalidArgumentError('state.tpm.authenticationKey', 'must be a Uint8Array');
  }
  const json = withExtra(
    {
      registrationId: known.registrationId,
      createdDateTimeUtc: known.createdDateTimeUtc,
      assignedHub: known.assignedHub,
      deviceId: known.deviceId,
      status,
      substatus: known.substatus,
      errorCode: known.errorCode,
      errorMessage: known.errorMessage,
      lastUpdatedDateTimeUtc: known.lastUpdatedDateTimeUtc,
      etag: known.etag,
      tpm: blob && { authenticationKey: encodeBase64(blob) },
      x509: known.x509,
      symmetricKey: known.symmetricKey,
      payload: known.payload,
    },
    extra,
  );
  assertJsonValue('state', json);
  return json;
}

/** Reads a registration state from its object. Internal to the package's decoders. */
export function readRegistrationState(reader: JsonObjectReader): RegistrationState {
  const tpm = reader.optionalReader('tpm');
  const authenticationKey = tpm?.optionalBytes('authenticationKey', maxActivationBlobBytes);
  return definedFields({
    registrationId: reader.optionalString('registrationId', 256),
    status: readOptionalStatus(reader),
    substatus: reader.optionalString('substatus', 128),
    assignedHub: reader.optionalString('assignedHub', 512),
    deviceId: reader.optionalString('deviceId', 256),
    createdDateTimeUtc: reader.optionalString('createdDateTimeUtc', 64),
    lastUpdatedDateTimeUtc: reader.optionalString('lastUpdatedDateTimeUtc', 64),
    etag: reader.optionalString('etag', 256),
    errorCode: reader.optionalInteger('errorCode'),
    errorMessage: reader.optionalString('errorMessage', 65_536),
    payload: reader.optionalValue('payload'),
    tpm: authenticationKey && { authenticationKey },
    x509: reader.optionalObject('x509'),
    symmetricKey: reader.optionalObject('symmetricKey'),
    extra: reader.rest(),
  });
}

/** Reads a status word in any case; the old word `blacklisted` is `disabled`. Internal to the package's decoders. */
export function readStatus(what: string, path: string, text: string): RegistrationStatus {
  const lower = text.toLowerCase();
  const status = registrationStatuses.find((word) => word === lower);
  if (status !== undefined) return status;
  // Services before 2019 said this; the official C client still knows it.
  if (lower === 'blacklisted') return 'disabled';
  throw malformed(what, path, 'is no known status', { code: 'ERR_REMOTE_UNEXPECTED', sample: text });
}

function readOptionalStatus(reader: JsonObjectReader): RegistrationStatus | undefined {
  const text = reader.optionalString('status', 64);
  return text === undefined ? undefined : readStatus('registration state', reader.path('status'), text);
}
