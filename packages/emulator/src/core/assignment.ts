import type { Clock, RandomSource, RegistrationOperationStatus } from '@endorse/interface';
import { createEtag, encodeRegistrationEtag, formatTimestamp } from '@endorse/protocol';
import type { IotHub } from '../hub/hub.ts';
import { wrapFreshKey } from './activation.ts';
import type { Allocate } from './allocation.ts';
import { decideAllocation } from './allocation.ts';
import type { DeviceMemories } from './device-memory.ts';
import type { EmulatorEventDetails } from './events.ts';
import type { RunningOperation } from './operation.ts';
import type { EmulatorStore, EnrollmentRecord, RegistrationRecord } from './store.ts';

/** What operations are decided with. */
export interface AssignmentParts {
  readonly store: EmulatorStore;
  readonly memories: DeviceMemories;
  readonly hubs: readonly IotHub[];
  readonly allocate: Allocate;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: RandomSource;
  readonly emit: (event: EmulatorEventDetails) => void;
}

/** Settles the running operation of an enrollment's device once its time has come; whoever looks at the device does that first. */
export function settleDue(parts: AssignmentParts, enrollment: EnrollmentRecord): void {
  const { operations } = parts.memories.get(enrollment.registrationId);
  const { running } = operations;
  if (running === undefined || parts.clock.now() < running.dueAt) return;
  const outcome = decide(parts, enrollment, running);
  operations.settle(outcome);
  parts.emit(describe(enrollment.registrationId, outcome));
}

/**
 * Picks a hub, gives the device a fresh hub key there, wraps that key for the TPM that
 * proved itself, writes the registration and returns what the device is told.
 */
function decide(
  parts: AssignmentParts,
  enrollment: EnrollmentRecord,
  { operationId, keys, payload }: RunningOperation,
): RegistrationOperationStatus {
  const linkedHubs = parts.hubs.map(({ hostName }) => hostName);
  const request = { enrollment, linkedHubs, ...(payload === undefined ? {} : { payload }) };
  const decision = decideAllocation(parts.allocate, request);
  if ('errorCode' in decision)
    return conclude(parts, enrollment, operationId, { status: 'failed', ...decision });
  const { iotHubHostName: assignedHub } = decision;
  const deviceId = enrollment.deviceId ?? enrollment.registrationId;
  const wrapped = wrapFreshKey(keys, `${assignedHub}/devices/${deviceId}`, parts.random);
  if (!wrapped.ok) {
    const { errorCode, message } = wrapped.fault;
    return conclude(parts, enrollment, operationId, { status: 'failed', errorCode, errorMessage: message });
  }
  parts.hubs.find((hub) => hub.hostName === assignedHub)?.writeDevice({ deviceId, keys: [wrapped.key] });
  const result = {
    status: 'assigned',
    substatus: 'initialAssignment',
    assignedHub,
    deviceId,
    ...(decision.payload === undefined ? {} : { payload: decision.payload }),
  } as const;
  return conclude(parts, enrollment, operationId, result, wrapped.activationBlob);
}

function conclude(
  { store, clock, random }: AssignmentParts,
  { registrationId }: EnrollmentRecord,
  operationId: string,
  result: Partial<RegistrationRecord> & { readonly status: 'assigned' | 'failed' },
  authenticationKey?: Uint8Array,
): RegistrationOperationStatus {
  const timestamp = formatTimestamp(clock.now());
  const record: RegistrationRecord = {
    registrationId,
    createdDateTimeUtc: store.registrations.get(registrationId)?.createdDateTimeUtc ?? timestamp,
    ...result,
    lastUpdatedDateTimeUtc: timestamp,
    etag: encodeRegistrationEtag(createEtag(random)),
  };
  store.registrations.set(registrationId, record);
  return {
    operationId,
    status: result.status,
    registrationState: authenticationKey === undefined ? record : { ...record, tpm: { authenticationKey } },
  };
}

function describe(registrationId: string, outcome: RegistrationOperationStatus): EmulatorEventDetails {
  const { operationId, registrationState: state } = outcome;
  if (state?.assignedHub !== undefined && state.deviceId !== undefined) {
    const { assignedHub, deviceId } = state;
    return { event: 'device-assigned', registrationId, operationId, assignedHub, deviceId };
  }
  const { errorCode = 0, errorMessage = '' } = state ?? {};
  return { event: 'registration-failed', registrationId, operationId, errorCode, message: errorMessage };
}
