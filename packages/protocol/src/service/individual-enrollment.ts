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

/** How the service picks a hub. */
export type AllocationPolicy = 'hashed' | 'geoLatency' | 'static' | 'custom';

/** Whether devices may register. */
export type ProvisioningStatus = 'enabled' | 'disabled';

/** An individual enrollment: one device the service knows in advance. */
export interface IndividualEnrollment {
  readonly registrationId: string;
  /** Device id on the hub; the registration id when absent. */
  readonly deviceId?: string;
  /** What became of the device; answers only. */
  readonly registrationState?: RegistrationState;
  readonly attestation: AttestationMechanism;
  readonly capabilities?: { readonly iotEdge: boolean };
  /** Hub of a `static` allocation. */
  readonly iotHubHostName?: string;
  /** `tags` and `properties.desired` the device's twin starts with. */
  readonly initialTwin?: JsonObject;
  /** Free text about the device. */
  readonly optionalDeviceInformation?: JsonObject;
  /** Quoted, quotes included; changes with every write. */
  readonly etag?: string;
  /** Default `enabled`. */
  readonly provisioningStatus?: ProvisioningStatus;
  /** Both default to true. */
  readonly reprovisionPolicy?: { readonly updateHubAssignment: boolean; readonly migrateDeviceData: boolean };
  readonly createdDateTimeUtc?: string;
  readonly lastUpdatedDateTimeUtc?: string;
  readonly allocationPolicy?: AllocationPolicy;
  /** Hubs to choose from; all linked ones when absent. */
  readonly iotHubs?: readonly string[];
  /** Needed with `custom`. */
  readonly customAllocationDefinition?: { readonly webhookUrl: string; readonly apiVersion: string };
  /** Since api-version 2025-07-01-preview. */
  readonly credentialPolicyName?: string;
  /** Fields this version does not know. */
  readonly extra?: JsonObject;
}

/** Writes an individual enrollment. Throws `ERR_INVALID_ARGUMENT`, or `ERR_LOCAL_UNENCODABLE` above 96 KiB. */
export function encodeIndividualEnrollment(enrollment: IndividualEnrollment): string {
  const { extra, registrationId, deviceId, attestation, registrationState, ...rest } = enrollment;
  for (const [name, words] of Object.entries<readonly string[]>(wordLists)) {
    const value = enrollment[name as keyof typeof wordLists];
    if (value !== undefined && !words.includes(value)) {
      throw new InvalidArgumentError(`enrollment.${name}`, `must be one of ${words.join(', ')}`);
    }
  }
  if (attestation === undefined) throw new InvalidArgumentError('enrollment.attestation', 'is missing');
  assertJsonValue('enrollment', { ...rest, extra });
  const known = {
    registrationId: validateRegistrationId(registrationId, 'enrollment.registrationId'),
    deviceId: deviceId === undefined ? undefined : validateDeviceId(deviceId, 'enrollment.deviceId'),
    registrationState: registrationState && registrationStateToJson(registrationState),
    attestation: attestationToJson(attestation),
    ...rest,
  };
  return formatJson('individual enrollment', withExtra(known, extra));
}

/**
 * Reads an individual enrollment, from a request or an answer.
 * Throws `ERR_REMOTE_MALFORMED`, `ERR_REMOTE_UNEXPECTED` or `ERR_REMOTE_TOO_LARGE` (default limit 96 KiB).
 */
export function decodeIndividualEnrollment(
  input: JsonInput,
  options: JsonDecodeOptions = {},
): IndividualEnrollment {
  const reader = JsonObjectReader.parse('individual enrollment', input, options.maxBytes ?? maxRequestBytes);
  const registrationId = reader.requiredString('registrationId', 1024);
  check(reader, 'registrationId', findRegistrationIdProblem(registrationId));
  const deviceId = reader.optionalString('deviceId', 1024);
  // Some clients send an empty device id for "none".
  if (deviceId !== undefined && deviceId !== '') check(reader, 'deviceId', findDeviceIdProblem(deviceId));
  const state = reader.optionalReader('registrationState');
  const capabilities = reader.optionalReader('capabilities');
  const policy = reader.optionalReader('reprovisionPolicy');
  const custom = reader.optionalReader('customAllocationDefinition');
  return definedFields({
    registrationId,
    deviceId: deviceId === '' ? undefined : deviceId,
    registrationState: state && readRegistrationState(state),
    attestation: readAttestation(reader.requiredReader('attestation')),
    capabilities: capabilities && { iotEdge: capabilities.optionalBoolean('iotEdge') ?? false },
    iotHubHostName: reader.optionalString('iotHubHostName', 512),
    initialTwin: reader.optionalObject('initialTwin'),
    optionalDeviceInformation: reader.optionalObject('optionalDeviceInformation'),
    etag: reader.optionalString('etag', 256),
    provisioningStatus: readWord(reader, 'provisioningStatus', wordLists.provisioningStatus),
    reprovisionPolicy: policy && {
      updateHubAssignment: policy.optionalBoolean('updateHubAssignment') ?? true,
      migrateDeviceData: policy.optionalBoolean('migrateDeviceData') ?? true,
    },
    createdDateTimeUtc: reader.optionalString('createdDateTimeUtc', 64),
    lastUpdatedDateTimeUtc: reader.optionalString('lastUpdatedDateTimeUtc', 64),
    allocationPolicy: readWord(reader, 'allocationPolicy', wordLists.allocationPolicy),
    iotHubs: reader.optionalStrings('iotHubs', 64, 512),
    customAllocationDefinition: custom && {
      webhookUrl: custom.requiredString('webhookUrl', 4096),
      apiVersion: custom.requiredString('apiVersion', 64),
    },
    credentialPolicyName: reader.optionalString('credentialPolicyName', 256),
    extra: reader.rest(),
  });
}

const wordLists: {
  readonly provisioningStatus: readonly ProvisioningStatus[];
  readonly allocationPolicy: readonly AllocationPolicy[];
} = {
  provisioningStatus: ['enabled', 'disabled'],
  allocationPolicy: ['hashed', 'geoLatency', 'static', 'custom'],
};

function readWord<Word extends string>(
  reader: JsonObjectReader,
  key: string,
  words: readonly Word[],
): Word | undefined {
  const text = reader.optionalString(key, 64);
  if (text === undefined || text === '') return undefined;
  const word = words.find((candidate) => candidate.toLowerCase() === text.toLowerCase());
  if (word === undefined) throw reader.problem(key, `must be one of ${words.join(', ')}`, text);
  return word;
}

function check(reader: JsonObjectReader, key: string, problem: string | undefined): void {
  if (problem !== undefined) throw reader.problem(key, problem);
}
