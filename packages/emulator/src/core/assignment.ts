import type { Clock, RandomSource, RegistrationOperationStatus } from '@endorse/interface';
import { createEtag, encodeRegistrationEtag, formatTimestamp } from '@endorse/protocol';
import { describeCertificate, fingerprintOf, readCertificate } from '../certificate/client-certificate.ts';
import type { IotHub } from '../hub/hub.ts';
import { wrapFreshKey } from './activation.ts';
import type { Allocate } from './allocation.ts';
import { decideAllocation } from './allocation.ts';
import type { DeviceProof, EnrolledDevice } from './enrolled-device.ts';
import { findEnrollmentOf } from './enrolled-device.ts';
import type { EmulatorEventDetails } from './events.ts';
import type { ServiceFault } from './fault.ts';
import type { RunningOperation } from './operation.ts';
import { findRunning, settleOperation } from './operation.ts';
import type { EmulatorStore, EnrollmentGroupRecord, EnrollmentRecord, RegistrationRecord } from './store.ts';

/** What operations are decided with. */
export interface AssignmentParts {
  readonly store: EmulatorStore;
  readonly hubs: readonly IotHub[];
  readonly allocate: Allocate;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: RandomSource;
  readonly emit: (event: EmulatorEventDetails) => void;
}

/** Settles the running operation of a device once its time has come; whoever looks at the device does that first. */
export function settleDue(parts: AssignmentParts, registrationId: string): void {
  const { deviceMemories } = parts.store;
  const memory = deviceMemories.get(registrationId);
  const running = findRunning(memory);
  if (memory === undefined || running === undefined || parts.clock.now() < running.dueAt) return;
  const enrollment = findEnrollmentOf(parts.store, running.device);
  // A store that others write to may have lost it; then nobody may ask for the outcome either.
  if (enrollment === undefined) return;
  const outcome = decide(parts, enrollment, running);
  deviceMemories.set(registrationId, settleOperation(memory, outcome));
  parts.emit(describe(running.device.registrationId, outcome));
}

/**
 * Picks a hub, makes the device known there by what it proved (for a TPM: by a fresh key, wrapped for it),
 * writes the registration and returns what the device is told.
 */
function decide(
  parts: AssignmentParts,
  enrollment: EnrollmentRecord | EnrollmentGroupRecord,
  operation: RunningOperation,
): RegistrationOperationStatus {
  const { device, proof, payload } = operation;
  const { registrationId } = device;
  const linkedHubs = parts.hubs.map(({ hostName }) => hostName);
  const request = { registrationId, enrollment, linkedHubs, ...(payload === undefined ? {} : { payload }) };
  const decision = decideAllocation(parts.allocate, request);
  if ('errorCode' in decision) return conclude(parts, operation, { status: 'failed', ...decision });
  const { iotHubHostName: assignedHub } = decision;
  // Devices of a group have no other device id than their registration id.
  const deviceId = ('deviceId' in enrollment ? enrollment.deviceId : undefined) ?? registrationId;
  const credential = makeHubCredential(proof, `${assignedHub}/devices/${deviceId}`, parts.random);
  if ('fault' in credential) {
    const { errorCode, message } = credential.fault;
    return conclude(parts, operation, { status: 'failed', errorCode, errorMessage: message });
  }
  const { authenticationKey, ...known } = credential;
  parts.hubs.find((hub) => hub.hostName === assignedHub)?.writeDevice({ deviceId, ...known });
  const result = {
    status: 'assigned',
    substatus: 'initialAssignment',
    assignedHub,
    deviceId,
    ...describeProof(device, proof),
    ...(decision.payload === undefined ? {} : { payload: decision.payload }),
  } as const;
  return conclude(parts, operation, result, authenticationKey);
}

/** What a hub shall know a device by, and for a TPM the blob in which the device gets its key. */
function makeHubCredential(
  proof: DeviceProof,
  purpose: string,
  random: RandomSource,
):
  | {
      readonly keys: readonly Uint8Array[];
      readonly thumbprints?: readonly string[];
      readonly authenticationKey?: Uint8Array;
    }
  | { readonly fault: ServiceFault } {
  switch (proof.kind) {
    case 'tpm': {
      const wrapped = wrapFreshKey(proof.keys, purpose, random);
      return wrapped.ok ? { keys: [wrapped.key], authenticationKey: wrapped.activationBlob } : wrapped;
    }
    case 'symmetricKey':
      return { keys: proof.keys };
    case 'x509':
      return { keys: [], thumbprints: [fingerprintOf(proof.certificate)] };
    default:
      return proof satisfies never;
  }
}

/** What the registration state tells about the proof; nothing for an individual symmetric key, as the service. */
function describeProof(
  { enrollmentGroupId }: EnrolledDevice,
  proof: DeviceProof,
): Pick<RegistrationRecord, 'symmetricKey' | 'x509'> {
  const group = enrollmentGroupId === undefined ? {} : { enrollmentGroupId };
  switch (proof.kind) {
    case 'tpm':
      return {};
    case 'symmetricKey':
      return enrollmentGroupId === undefined ? {} : { symmetricKey: group };
    case 'x509': {
      const certificate = readCertificate(proof.certificate);
      const issuer = readCertificate(proof.signingCertificate ?? '');
      return {
        x509: {
          ...group,
          ...(certificate === undefined ? {} : { certificateInfo: describeCertificate(certificate) }),
          ...(issuer === undefined ? {} : { signingCertificateInfo: describeCertificate(issuer) }),
        },
      };
    }
    default:
      return proof satisfies never;
  }
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
