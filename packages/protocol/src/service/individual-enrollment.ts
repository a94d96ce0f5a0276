import type { JsonObject, RegistrationState } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { readRegistrationState, registrationStateToJson } from '../bodies/registration-state.ts';
import {
  findDeviceIdProblem,
  findRegistrationIdProblem,
  validateDeviceId,
  validateRegistrationId,
} from '../identifiers/registration-id.ts';
import { definedFields, JsonObjectReader, withExtra } from '../json/json-object-reader.ts';
import { assertJsonValue, formatJson, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { maxRequestBytes } from '../limits.ts';
import { attestationToJson, readAttestation, type AttestationMechanism } from './attestation-mechanism.ts';
import { assertSettings, readSettings, type EnrollmentSettings } from './enrollment-settings.ts';

/** An individual enrollment: one device the service knows in advance. */
export interface IndividualEnrollment extends EnrollmentSettings {
  readonly registrationId: string;
  /** Device id on the hub; the registration id when absent. */
  readonly deviceId?: string;
  /** What became of the device; answers only. */
  readonly registrationState?: RegistrationState;
  readonly attestation: AttestationMechanism;
  /** Free text about the device. */
  readonly optionalDeviceInformation?: JsonObject;
  /** Fields this version does not know. */
  readonly extra?: JsonObject;
}

/** Writes an individual enrollment. Throws `ERR_INVALID_ARGUMENT`, or `ERR_LOCAL_UNENCODABLE` above 96 KiB. */
export function encodeIndividualEnrollment(enrollment: IndividualEnrollment): string {
  return formatJson('individual enrollment', individualEnrollmentToJson(enrollment));
}

/** The wire form of an individual enrollment; it holds keys in clear. Throws `ERR_INVALID_ARGUMENT`. */
export function individualEnrollmentToJson(
  enrollment: IndividualEnrollment,
): Readonly<Record<string, unknown>> {
  const { extra, registrationId, deviceId, attestation, registrationState, ...rest } = enrollment;
  assertSettings('enrollment', enrollment);
  if (attestation === undefined) throw new InvalidArgumentError('enrollment.attestation', 'is missing');
  assertJsonValue('enrollment', { ...rest, extra });
  const known = {
    registrationId: validateRegistrationId(registrationId, 'enrollment.registrationId'),
    deviceId: deviceId === undefined ? undefined : validateDeviceId(deviceId, 'enrollment.deviceId'),
    registrationState: registrationState && registrationStateToJson(registrationState),
    attestation: attestationToJson(attestation),
    ...rest,
  };
  return withExtra(known, extra);
}

/**
 * Reads an individual enrollment, from a request or an answer.
 * Throws `ERR_REMOTE_MALFORMED`, `ERR_REMOTE_UNEXPECTED` or `ERR_REMOTE_TOO_LARGE` (default limit 96 KiB).
 */
export function decodeIndividualEnrollment(
  input: JsonInput,
  options: JsonDecodeOptions = {},
): IndividualEnrollment {
  return readIndividualEnrollment(
    JsonObjectReader.parse('individual enrollment', input, options.maxBytes ?? maxRequestBytes),
  );
}

/** Reads an individual enrollment from its object. Internal to the package's decoders. */
export function readIndividualEnrollment(reader: JsonObjectReader): IndividualEnrollment {
  const registrationId = reader.requiredString('registrationId', 1024);
  check(reader, 'registrationId', findRegistrationIdProblem(registrationId));
  const deviceId = reader.optionalString('deviceId', 1024);
  // Some clients send an empty device id for "none".
  if (deviceId !== undefined && deviceId !== '') check(reader, 'deviceId', findDeviceIdProblem(deviceId));
  const state = reader.optionalReader('registrationState');
  return definedFields({
    registrationId,
    deviceId: deviceId === '' ? undefined : deviceId,
    registrationState: state && readRegistrationState(state),
    attestation: readAttestation(reader.requiredReader('attestation')),
    optionalDeviceInformation: reader.optionalObject('optionalDeviceInformation'),
    ...readSettings(reader),
    extra: reader.rest(),
  });
}

function check(reader: JsonObjectReader, key: string, problem: string | undefined): void {
  if (problem !== undefined) throw reader.problem(key, problem);
}
