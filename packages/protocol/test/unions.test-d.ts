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
  RegisterBody,
  ServiceOperation,
} from '@endorse/protocol';
import {
  decodeOperationStatus,
  deviceMethods,
  encodeRegisterBody,
  joinActivationBlob,
  serviceMethods,
} from '@endorse/protocol';

declare const target: DeviceTarget;
declare const attestation: AttestationMechanism;
declare const body: RegisterBody;
declare const parts: ActivationParts;

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

// What the decoders give is what the contracts ask for.
export const operation: RegistrationOperationStatus = decodeOperationStatus('');
export const challenge: AuthenticationChallenge = {} as ChallengeBody;
export const blob: Uint8Array = joinActivationBlob(parts);
export const info: RegistrationInfo = { ...body, registrationId: 'x' };

// @ts-expect-error: a body needs a registration id to be sent, though not to be read
encodeRegisterBody(body);
// @ts-expect-error: parts are read-only
parts.publicArea = new Uint8Array(0);
