import type { JsonObject, JsonValue } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import type { EnrollmentSettings } from '@endorse/protocol';
import { maxRequestBytes, parseApiVersion } from '@endorse/protocol';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';

/** What the service fills in when a client leaves it open. */
export const defaultSettings: EnrollmentSettings = Object.freeze({
  capabilities: { iotEdge: false },
  reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: true },
});

/** What a client of an api-version before reprovisioning policies expects: its devices stay where they are. */
export function addVersionDefaults<Settings extends EnrollmentSettings>(
  settings: Settings,
  apiVersion: string,
): Settings {
  const { reprovisionPolicy = neverReprovision } = settings;
  return parseApiVersion(apiVersion).date < firstPolicyVersion
    ? { ...settings, reprovisionPolicy }
    : settings;
}

const firstPolicyVersion = '2018-09-01';
const neverReprovision = { updateHubAssignment: false, migrateDeviceData: false };

/** Why the common part of an enrollment is unusable; undefined when it is not. */
export function findSettingsFault(settings: EnrollmentSettings): ServiceFault | undefined {
  return findAllocationFault(settings) ?? findTwinFault(settings.initialTwin);
}

/** Neither that a hub is linked nor that a web-hook answers is looked at before a device registers, as by the service. */
function findAllocationFault({
  allocationPolicy,
  customAllocationDefinition: custom,
}: EnrollmentSettings): ServiceFault | undefined {
  if (allocationPolicy !== 'custom') return undefined;
  if (custom === undefined) {
    return faults.invalidArgument(
      "A CustomAllocationDefinition is required when the allocation policy is set to 'Custom'",
    );
  }
  try {
    if (parseApiVersion(custom.apiVersion).date >= firstWebhookVersion) return undefined;
  } catch (error) {
    if (!isEndorseError(error)) throw error;
  }
  return faults.invalidArgument(
    'The CustomAllocationDefinition is invalid.',
    `its apiVersion must be ${firstWebhookVersion} or later, as YYYY-MM-DD or YYYY-MM-DD-preview`,
  );
}

function findTwinFault(twin: JsonObject | undefined): ServiceFault | undefined {
  const { tags, properties } = twin ?? {};
  const desired = isObject(properties) ? properties['desired'] : undefined;
  const problem =
    (isAbsent(tags) || isObject(tags) ? undefined : 'tags') ??
    (isAbsent(properties) || isObject(properties) ? undefined : 'properties') ??
    (isAbsent(desired) || isObject(desired) ? undefined : 'properties.desired');
  if (problem === undefined) return undefined;
  return faults.invalidArgument('The initial twin is invalid.', `${problem} must be an object`);
}

function isAbsent(value: JsonValue | undefined): boolean {
  return value === undefined || value === null;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The api-version that brought custom allocation. */
const firstWebhookVersion = '2018-09-01';

/** An enrollment that can be stored must also fit into every later answer. */
export function findSizeFault(encode: () => string): ServiceFault | undefined {
  try {
    if (Buffer.byteLength(encode()) + answerReserveBytes <= maxRequestBytes) return undefined;
  } catch (error) {
    if (!isEndorseError(error)) throw error;
  }
  return faults.tooLarge(`an enrollment may have ${maxRequestBytes - answerReserveBytes} bytes`);
}

/** Room for what the service adds to an enrollment when it answers: its registration state, above all. */
const answerReserveBytes = 4096;
