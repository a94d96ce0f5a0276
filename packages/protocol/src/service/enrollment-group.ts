import type { JsonObject } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { findRegistrationIdProblem, validateRegistrationId } from '../identifiers/registration-id.ts';
import { definedFields, JsonObjectReader, withExtra } from '../json/json-object-reader.ts';
import { assertJsonValue, formatJson, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { maxRequestBytes } from '../limits.ts';
import { attestationToJson, readAttestation, type AttestationMechanism } from './attestation-mechanism.ts';
import { assertSettings, readSettings, type EnrollmentSettings } from './enrollment-settings.ts';

/** An enrollment group: any device that proves itself with a key derived from the group's, or a certificate signed by it. */
export interface EnrollmentGroup extends EnrollmentSettings {
  /** Follows the rules of registration ids. */
  readonly enrollmentGroupId: string;
  /** `symmetricKey` or `x509`; there are no groups of TPMs. */
  readonly attestation: AttestationMechanism;
  /** Fields this version does not know. */
  readonly extra?: JsonObject;
}

/** Writes an enrollment group. Throws `ERR_INVALID_ARGUMENT`, or `ERR_LOCAL_UNENCODABLE` above 96 KiB. */
export function encodeEnrollmentGroup(group: EnrollmentGroup): string {
  return formatJson('enrollment group', enrollmentGroupToJson(group));
}

/** The wire form of an enrollment group; it holds keys in clear. Throws `ERR_INVALID_ARGUMENT`. */
export function enrollmentGroupToJson(group: EnrollmentGroup): Readonly<Record<string, unknown>> {
  const { extra, enrollmentGroupId, attestation, ...rest } = group;
  assertSettings('group', group);
  if (attestation === undefined) throw new InvalidArgumentError('group.attestation', 'is missing');
  assertJsonValue('group', { ...rest, extra });
  const known = {
    enrollmentGroupId: validateRegistrationId(enrollmentGroupId, 'group.enrollmentGroupId'),
    attestation: attestationToJson(attestation),
    ...rest,
  };
  return withExtra(known, extra);
}

/**
 * Reads an enrollment group, from a request or an answer.
 * Throws `ERR_REMOTE_MALFORMED`, `ERR_REMOTE_UNEXPECTED` or `ERR_REMOTE_TOO_LARGE` (default limit 96 KiB).
 */
export function decodeEnrollmentGroup(input: JsonInput, options: JsonDecodeOptions = {}): EnrollmentGroup {
  return readEnrollmentGroup(
    JsonObjectReader.parse('enrollment group', input, options.maxBytes ?? maxRequestBytes),
  );
}

/** Reads an enrollment group from its object. Internal to the package's decoders. */
export function readEnrollmentGroup(reader: JsonObjectReader): EnrollmentGroup {
  const enrollmentGroupId = reader.requiredString('enrollmentGroupId', 1024);
  const problem = findRegistrationIdProblem(enrollmentGroupId);
  if (problem !== undefined) throw reader.problem('enrollmentGroupId', problem);
  return definedFields({
    enrollmentGroupId,
    attestation: readAttestation(reader.requiredReader('attestation')),
    ...readSettings(reader),
    extra: reader.rest(),
  });
}
