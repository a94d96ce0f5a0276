/** Compiled, not run: the public unions, and what narrowing them gives. */
import type {
  AuthenticationChallenge,
  RegistrationInfo,
  RegistrationOperationStatus,
} from '@endorse/interface';
import type {
  ActivationParts,
  AttestationMechanism,
  ChallengeBody,
  DeviceTarget,
  DeviceToHubTopic,
  DrsProgress,
  DrsRegisterReply,
  DrsTarget,
  HubToDeviceTopic,
  RegisterBody,
  RegistrationTopic,
  ServiceOperation,
} from '@endorse/protocol';
import {
  decodeOperationStatus,
  deviceMethods,
  drsMethods,
  encodeRegisterBody,
  joinActivationBlob,
  serviceMethods,
} from '@endorse/protocol';

declare const target: DeviceTarget;
declare const drsTarget: DrsTarget;
declare const drsReply: DrsRegisterReply;
declare const drsProgress: DrsProgress;
declare const topic: RegistrationTopic;
declare const toHub: DeviceToHubTopic;
declare const toDevice: HubToDeviceTopic;
declare const attestation: AttestationMechanism;
declare const body: RegisterBody;
declare const parts: ActivationParts;

export function narrowTopic(): string {
  return topic.kind === 'register' ? topic.requestId : topic.operationId;
}

export function narrowDeviceToHub(): string | number {
  switch (toHub.kind) {
    case 'telemetry':
      return toHub.deviceId;
    case 'get-twin':
    case 'patch-reported':
      return toHub.requestId;
    case 'method-response':
      return toHub.status;
    default:
      return toHub satisfies never;
  }
}

export function narrowHubToDevice(): string | number | undefined {
  switch (toDevice.kind) {
    case 'twin-response':
    case 'desired-properties':
      return toDevice.version;
    case 'method':
      return toDevice.methodName;
    default:
      return toDevice satisfies never;
  }
}

export function narrowTarget(): string | boolean {
  switch (target.kind) {
    case 'register':
      return target.forceRegistration;
    case 'operation-status':
      return target.operationId;
    case 'status-lookup':
      // @ts-expect-error: a status lookup is about no operation
      target.operationId satisfies string;
      return false;
    default:
      return target satisfies never;
  }
}

export function narrowDrs(): unknown {
  // @ts-expect-error: only one kind of target is about an operation
  drsTarget.operationId satisfies string;
  if (drsTarget.kind === 'operation') return drsTarget.operationId satisfies string;
  if (drsReply.kind === 'challenge') return drsReply.nonce satisfies Uint8Array;
  if (drsReply.kind === 'operation') return drsReply.operationId satisfies string;
  switch (drsProgress.status) {
    case 'assigning':
      return undefined;
    case 'assigned':
      return drsProgress.iotHubUrl satisfies string;
    case 'failed':
    case 'disabled':
      return drsProgress.errorCode;
    default:
      return drsProgress satisfies never;
  }
}

export function narrowAttestation(): unknown {
  switch (attestation.type) {
    case 'tpm':
      return attestation.endorsementKey satisfies Uint8Array;
    case 'symmetricKey':
      return attestation.primaryKey?.byteLength;
    case 'x509':
      return attestation.caReferences?.primary;
    case 'none':
      return undefined;
    default:
      return attestation satisfies never;
  }
}

// Every kind of request has its method.
export const methods: Readonly<Record<DeviceTarget['kind'] | ServiceOperation, string>> = {
  ...deviceMethods,
  ...serviceMethods,
};

export const drs: Readonly<Record<DrsTarget['kind'], string>> = drsMethods;

// What the decoders give is what the contracts ask for.
export const operation: RegistrationOperationStatus = decodeOperationStatus('');
export const challenge: AuthenticationChallenge = {} as ChallengeBody;
export const blob: Uint8Array = joinActivationBlob(parts);
export const info: RegistrationInfo = { ...body, registrationId: 'x' };

// @ts-expect-error: a body needs a registration id to be sent, though not to be read
encodeRegisterBody(body);
// @ts-expect-error: parts are read-only
parts.publicArea = new Uint8Array(0);
