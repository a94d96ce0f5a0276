/**
 * How operations are decided: where the device goes, what becomes of its twin and of the identity it had, and what it
 * is told. Whoever looks at a device settles what is due first.
 */
import type { Clock, RandomSource, RegistrationOperationStatus } from '@endorse/interface';
import { createEtag, encodeRegistrationEtag, formatTimestamp } from '@endorse/protocol';
import type { Allocate, AllocationDecision } from '../allocation/allocation.ts';
import { allocateByPolicy, decideAllocation } from '../allocation/allocation.ts';
import type { LinkedHub } from '../allocation/linked-hub.ts';
import type { HubIdentity, PresentAssignment, ReprovisionPolicy } from '../allocation/reprovisioning.ts';
import { planAssignment } from '../allocation/reprovisioning.ts';
import type { WebHookCalls } from '../allocation/web-hook-calls.ts';
import type { IotHub } from '../hub/hub.ts';
import type { TwinContent } from '../hub/twin.ts';
import { createTwin } from '../hub/twin.ts';
import type { DeviceMemory, RememberedAssignment } from './device-memory.ts';
import { findEnrollmentOf } from './enrolled-device.ts';
import type { EmulatorEventDetails } from './events.ts';
import type { HubCredentialMade } from './hub-credential.ts';
import { describeProof, makeHubCredential } from './hub-credential.ts';
import type { RunningOperation } from './operation.ts';
import { findRunning, settleOperation } from './operation.ts';
import { planTwin } from './planned-twin.ts';
import type { EmulatorStore, EnrollmentGroupRecord, EnrollmentRecord, RegistrationRecord } from './store.ts';

/** What operations are decided with. */
export interface AssignmentParts {
  readonly store: EmulatorStore;
  readonly hubs: readonly IotHub[];
  /** The same hubs, as the policies see them. */
  readonly linkedHubs: readonly LinkedHub[];
  /** Decides in the place of the policies. */
  readonly allocate: Allocate | undefined;
  readonly webHooks: WebHookCalls;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: RandomSource;
  readonly emit: (event: EmulatorEventDetails) => void;
}

/** Settles the running operation of a device once its time has come and, under `custom`, the web-hook has answered. */
export function settleDue(parts: AssignmentParts, registrationId: string): void {
  const { deviceMemories } = parts.store;
  const memory = deviceMemories.get(registrationId);
  const running = findRunning(memory);
  if (memory === undefined || running === undefined || parts.clock.now() < running.dueAt) return;
  const enrollment = findEnrollmentOf(parts.store, running.device);
  // A store that others write to may have lost it; then nobody may ask for the outcome either.
  if (enrollment === undefined) return;
  const present = findPresent(parts, registrationId, memory);
  const decision = decide(parts, enrollment, running, present);
  if (decision === undefined) return;
  const { outcome, assignment } = assign(parts, enrollment, running, present, decision);
  deviceMemories.set(registrationId, {
    ...settleOperation(memory, outcome),
    ...(assignment === undefined ? {} : { assignment }),
  });
  parts.emit(describe(running.device.registrationId, outcome));
}

/** Asks a web-hook as soon as an operation begins, so that the answer is there when the operation is due. */
export function beginAllocation(
  parts: AssignmentParts,
  enrollment: EnrollmentRecord | EnrollmentGroupRecord,
  running: RunningOperation,
): void {
  const { registrationId } = running.device;
  if (enrollment.allocationPolicy !== 'custom') return;
  const memory = parts.store.deviceMemories.get(registrationId);
  decide(parts, enrollment, running, findPresent(parts, registrationId, memory));
}

/** Decides where a device goes; undefined while a web-hook is thinking about it. */
function decide(
  parts: AssignmentParts,
  enrollment: EnrollmentRecord | EnrollmentGroupRecord,
  { operationId, device: { registrationId }, proof, payload, allocation }: RunningOperation,
  present: PresentAssignment | undefined,
): AllocationDecision | undefined {
  if (present !== undefined && !policyOf(enrollment).updateHubAssignment) {
    return { iotHubHostName: present.hub };
  }
  const request = { registrationId, enrollment, ...(payload === undefined ? {} : { payload }) };
  if (parts.allocate !== undefined) {
    const linkedHubs = parts.linkedHubs.map(({ hostName }) => hostName);
    return decideAllocation(parts.allocate, { ...request, linkedHubs });
  }
  const { allocationPolicy = 'hashed' } = enrollment;
  if (allocationPolicy !== 'custom') return allocateByPolicy(allocationPolicy, request, parts.linkedHubs);
  if (allocation !== undefined) return allocation;
  const where = present === undefined ? {} : { assignedHub: present.hub, deviceId: present.deviceId };
  parts.webHooks.ask(operationId, { ...request, proof, ...where });
  return undefined;
}

interface Assigned {
  readonly outcome: RegistrationOperationStatus;
  readonly assignment?: RememberedAssignment;
}

/** Makes the device known where it goes by what it proved, and sees to its twin. Nothing is written when it fails. */
function assign(
  parts: AssignmentParts,
  enrollment: EnrollmentRecord | EnrollmentGroupRecord,
  operation: RunningOperation,
  present: PresentAssignment | undefined,
  decision: AllocationDecision,
): Assigned {
  const { device, proof } = operation;
  const policy = policyOf(enrollment);
  if ('errorCode' in decision) return fail(parts, operation, decision);
  const target: HubIdentity =
    present !== undefined && !policy.updateHubAssignment
      ? present
      : { hub: decision.iotHubHostName, deviceId: deviceIdOf(enrollment, operation) };
  const hub = findHub(parts, target.hub);
  const hubName = parts.linkedHubs.find(({ hostName }) => hostName === target.hub)?.name;
  if (hub === undefined || hubName === undefined)
    throw new Error(`${target.hub} was chosen and is not linked`);
  const credential = makeHubCredential(proof, `${target.hub}/devices/${target.deviceId}`, parts.random);
  if ('fault' in credential) {
    const { errorCode, message: errorMessage } = credential.fault;
    return fail(parts, operation, { errorCode, errorMessage });
  }
  const isKnownToHub = hub.readTwin(target.deviceId) !== undefined;
  const plan = planAssignment({
    policy,
    target,
    isKnownToHub,
    ...(present === undefined ? {} : { present }),
  });
  const content = planTwin({
    twin: plan.twin,
    moved: plan.removed && findHub(parts, plan.removed.hub)?.readTwin(plan.removed.deviceId),
    ofWebHook: decision.initialTwin,
    ofEnrollment: enrollment.initialTwin,
  });
  const problem = content && createTwin(target.deviceId, content, parts.clock.now());
  if (problem?.outcome === 'refused') {
    const errorMessage = `The initial twin is invalid: ${problem.fault.reason}`;
    return fail(parts, operation, { errorCode: 400_004, errorMessage });
  }
  writeIdentity(hub, target, credential, content);
  if (plan.removed !== undefined) findHub(parts, plan.removed.hub)?.removeDevice(plan.removed.deviceId);
  const { substatus } = plan;
  const result = {
    status: 'assigned',
    substatus,
    assignedHub: target.hub,
    deviceId: target.deviceId,
    ...describeProof(device, proof),
    ...(decision.payload === undefined ? {} : { payload: decision.payload }),
  } as const;
  return {
    outcome: conclude(parts, operation, result, credential.authenticationKey),
    assignment: { hubName, deviceId: target.deviceId, substatus },
  };
}

function writeIdentity(
  hub: IotHub,
  { deviceId }: HubIdentity,
  { authenticationKey: _forTheDevice, ...known }: HubCredentialMade,
  content: TwinContent | undefined,
): void {
  hub.writeDevice({ deviceId, ...known });
  if (content !== undefined) hub.writeTwin(deviceId, content);
}

function policyOf({ reprovisionPolicy }: EnrollmentRecord | EnrollmentGroupRecord): ReprovisionPolicy {
  return reprovisionPolicy ?? { updateHubAssignment: true, migrateDeviceData: true };
}

/** Devices of a group have no other device id than their registration id. */
function deviceIdOf(
  enrollment: EnrollmentRecord | EnrollmentGroupRecord,
  { device }: RunningOperation,
): string {
  return ('deviceId' in enrollment ? enrollment.deviceId : undefined) ?? device.registrationId;
}

/** Where a device is, unless that hub is no longer linked. A failure since then has not moved it. */
function findPresent(
  parts: AssignmentParts,
  registrationId: string,
  memory: DeviceMemory | undefined,
): PresentAssignment | undefined {
  const known = memory?.assignment;
  const record = parts.store.registrations.get(registrationId);
  const { deviceId = record?.deviceId, substatus = record?.substatus } = known ?? {};
  // By its name first: a hub may have come back on another port.
  const hub = parts.linkedHubs.find(({ name, hostName }) =>
    known === undefined ? hostName === record?.assignedHub : name === known.hubName,
  )?.hostName;
  if (hub === undefined || deviceId === undefined) return undefined;
  return { hub, deviceId, ...(substatus === undefined ? {} : { substatus }) };
}

function findHub({ hubs }: AssignmentParts, hostName: string): IotHub | undefined {
  return hubs.find((hub) => hub.hostName === hostName);
}

function fail(
  parts: AssignmentParts,
  operation: RunningOperation,
  error: { readonly errorCode: number; readonly errorMessage: string },
): Assigned {
  return { outcome: conclude(parts, operation, { status: 'failed', ...error }) };
}

function conclude(
  { store, clock, random }: AssignmentParts,
  { operationId, device: { registrationId } }: RunningOperation,
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
