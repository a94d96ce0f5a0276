import { isEndorseError } from '@endorse/interface';
import type { EnrollmentSettings } from '@endorse/protocol';
import { maxRequestBytes } from '@endorse/protocol';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';

/** What the service fills in when a client leaves it open. */
export const defaultSettings: EnrollmentSettings = Object.freeze({
  capabilities: { iotEdge: false },
  reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: true },
});

/** Why the common part of an enrollment is unusable; undefined when it is not. */
export function findSettingsFault(settings: EnrollmentSettings): ServiceFault | undefined {
  const { allocationPolicy, customAllocationDefinition } = settings;
  if (allocationPolicy !== 'custom' || customAllocationDefinition !== undefined) return undefined;
  return faults.invalidArgument(
    "A CustomAllocationDefinition is required when the allocation policy is set to 'Custom'",
  );
}

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
