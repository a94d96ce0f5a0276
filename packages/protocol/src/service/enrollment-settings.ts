import type { JsonObject } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { definedFields, type JsonObjectReader } from '../json/json-object-reader.ts';

/** How the service picks a hub. */
export type AllocationPolicy = 'hashed' | 'geoLatency' | 'static' | 'custom';

/** Whether devices may register. */
export type ProvisioningStatus = 'enabled' | 'disabled';

/** What individual enrollments and groups have in common: where devices go, and whether they may. */
export interface EnrollmentSettings {
  readonly capabilities?: { readonly iotEdge: boolean };
  /** Hub of a `static` allocation. */
  readonly iotHubHostName?: string;
  /** `tags` and `properties.desired` the device's twin starts with. */
  readonly initialTwin?: JsonObject;
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
}

/** Throws `ERR_INVALID_ARGUMENT` for a word that is none. Internal to the package's encoders. */
export function assertSettings(argument: string, settings: EnrollmentSettings): void {
  for (const [name, words] of Object.entries<readonly string[]>(wordLists)) {
    const value = settings[name as keyof typeof wordLists];
    if (value !== undefined && !words.includes(value)) {
      throw new InvalidArgumentError(`${argument}.${name}`, `must be one of ${words.join(', ')}`);
    }
  }
}

/** Reads the common fields of an enrollment. Internal to the package's decoders. */
export function readSettings(reader: JsonObjectReader): EnrollmentSettings {
  const capabilities = reader.optionalReader('capabilities');
  const policy = reader.optionalReader('reprovisionPolicy');
  const custom = reader.optionalReader('customAllocationDefinition');
  return definedFields({
    capabilities: capabilities && { iotEdge: capabilities.optionalBoolean('iotEdge') ?? false },
    iotHubHostName: reader.optionalString('iotHubHostName', 512),
    initialTwin: reader.optionalObject('initialTwin'),
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
