/**
 * The device API, free of carriers: who may register, what the answer is.
 *
 *     TPM: requestChallenge → (a token proves the wrapped key) ↘
 *     symmetric key: (a token proves it)                       → register → assigning → assigned | failed
 *     X.509: (TLS proves the certificate's key)                ↗
 *
 * Invariants: a challenge belongs to (idScope, registrationId), and issuing one voids the one before;
 * whatever follows has to carry a token under its key; the hub key is wrapped for the TPM of the
 * challenge that was answered, never for keys that came later; the hub takes the keys that an enrollment had when
 * the operation was accepted; at most one operation of a registration runs.
 */
import { timingSafeEqual } from 'node:crypto';
import type { RegistrationOperationStatus } from '@endorse/interface';
import { registrationKeyName, registrationResource } from '@endorse/protocol';
import type { TpmKeys } from './activation.ts';
import { wrapFreshKey } from './activation.ts';
import type { AcceptanceParts } from './accept-registration.ts';
import { acceptRegistration } from './accept-registration.ts';
import { settleDue } from './assignment.ts';
import type { AuthenticatedDevice } from './authenticated-device.ts';
import { authenticate as checkDevice, findIdentityFault } from './authentication.ts';
import type {
  AdmissionResponse,
  ChallengeRequest,
  ChallengeResponse,
  DeviceCredential,
  DeviceIdentity,
  DeviceService,
  OperationQuery,
  OperationResponse,
  RegisterRequest,
  StateQuery,
  StateResponse,
} from './device-requests.ts';
import { faults } from './fault.ts';
import { recall } from './device-memory.ts';
import { findOperation, findRunning } from './operation.ts';
import type { FaultResponse } from './refusal.ts';
import { isFault, noteRefusal, refuse } from './refusal.ts';
import type { EnrollmentRecord } from './store.ts';

/** What the device API works with. */
export interface DeviceServiceParts extends AcceptanceParts {
  /** Pause asked for while an operation runs, in seconds. */
  readonly retryAfterSeconds: number;
}

/** Makes the device API over a store. */
export function createDeviceService(parts: DeviceServiceParts): DeviceService {
  const { idScope, store, random, emit } = parts;

  return {
    admit: (request) => note('admit', request, admit(request)),
    requestChallenge: (request) => note('request-challenge', request, requestChallenge(request)),
    register: (request) => note('register', request, register(request)),
    queryOperation: (request) => note('query-operation', request, queryOperation(request)),
    lookUpState: (request) => note('look-up-state', request, lookUpState(request)),
  };

  function admit(request: StateQuery): AdmissionResponse | FaultResponse {
    const authenticated = checkDevice(parts, request);
    return isFault(authenticated)
      ? authenticated
      : { outcome: 'admitted', attestation: authenticated.proof.kind };
  }

  function requestChallenge(request: ChallengeRequest): ChallengeResponse | FaultResponse {
    const fault = findIdentityFault(idScope, request);
    if (fault !== undefined) return refuse(fault);
    const enrollment = store.enrollments.get(request.registrationId);
    if (enrollment === undefined) return refuse(faults.enrollmentNotFound(request.registrationId));
    settleDue(parts, enrollment.registrationId);
    const keys = findTpmKeys(enrollment, request);
    if ('outcome' in keys) return keys;
    const { registrationId } = enrollment;
    const wrapped = wrapFreshKey(keys, registrationResource(idScope, registrationId), random);
    if (!wrapped.ok) return refuse(wrapped.fault);
    const { key, activationBlob } = wrapped;
    store.deviceMemories.set(registrationId, {
      ...recall(store, registrationId),
      challenge: { ...keys, key },
    });
    emit({ event: 'challenge-issued', registrationId, activationBlobBytes: activationBlob.byteLength });
    return { outcome: 'challenge', activationBlob, keyName: registrationKeyName };
  }

  function register(request: RegisterRequest): ChallengeResponse | OperationResponse | FaultResponse {
    const repeated = request.repeatedRegistrationId ?? request.registrationId;
    if (repeated.toLowerCase() !== request.registrationId.toLowerCase()) {
      return refuse(faults.invalidArgument('The registration id of the body is not the one of the path.'));
    }
    // A TPM may well come over a connection with a certificate that is for something else.
    const isTpm = store.enrollments.get(request.registrationId)?.attestation.type === 'tpm';
    const { kind } = request.credential;
    if (kind === 'none' || (kind === 'certificate' && isTpm)) return requestChallenge(request);
    const authenticated = authenticate(request);
    if (isFault(authenticated)) return authenticated;
    const { device, enrollment, proof } = authenticated;
    const { endorsementKey, payload } = request;
    // Some clients repeat the keys here, some do not; those of the challenge count.
    if (
      proof.kind === 'tpm' &&
      endorsementKey !== undefined &&
      !isSameKey(endorsementKey, proof.keys.endorsementKey)
    ) {
      return refuse(
        faults.endorsementKey('the request repeats another endorsement key than the challenge was for'),
      );
    }
    const { registrationId } = device;
    if (enrollment.provisioningStatus === 'disabled') {
      const registrationState = { registrationId, status: 'disabled' } as const;
      return { outcome: 'operation', operation: { operationId: '', status: 'disabled', registrationState } };
    }
    const accepted = acceptRegistration(parts, authenticated, payload);
    if (isFault(accepted)) return accepted;
    return assigning({ operationId: accepted.operationId, status: 'assigning' });
  }

  function queryOperation(request: OperationQuery): OperationResponse | FaultResponse {
    const authenticated = authenticate(request);
    if (isFault(authenticated)) return authenticated;
    const { registrationId } = authenticated.device;
    const operation = findOperation(store.deviceMemories.get(registrationId), request.operationId);
    if (operation === undefined) return refuse(faults.registrationNotFound('there is no such operation'));
    if (operation.phase === 'settled') return { outcome: 'operation', operation: operation.outcome };
    // The Rust client needs the registration state also while the operation runs.
    const registrationState = { registrationId, status: 'assigning' } as const;
    return assigning({ operationId: operation.operationId, status: 'assigning', registrationState });
  }

  function lookUpState(request: StateQuery): StateResponse | FaultResponse {
    const authenticated = authenticate(request);
    if (isFault(authenticated)) return authenticated;
    const { registrationId } = authenticated.device;
    const state = store.registrations.get(registrationId);
    if (state !== undefined) return { outcome: 'state', state };
    const running = findRunning(store.deviceMemories.get(registrationId));
    return {
      outcome: 'state',
      state: { registrationId, status: running === undefined ? 'unassigned' : 'assigning' },
    };
  }

  /** Names and credential are good, and what was due is settled. */
  function authenticate(
    request: DeviceIdentity & { readonly credential: DeviceCredential },
  ): AuthenticatedDevice | FaultResponse {
    const authenticated = checkDevice(parts, request);
    if (!isFault(authenticated)) settleDue(parts, authenticated.device.registrationId);
    return authenticated;
  }

  function assigning(operation: RegistrationOperationStatus): OperationResponse {
    return { outcome: 'operation', operation, retryAfterSeconds: parts.retryAfterSeconds };
  }

  function note<Response extends { readonly outcome: string }>(
    operation: string,
    { registrationId }: DeviceIdentity,
    response: Response,
  ): Response {
    return noteRefusal(emit, operation, registrationId, response);
  }
}

/** The TPM keys a challenge is for: the enrolled EK, and the SRK of the request or else the enrolled one. */
function findTpmKeys({ attestation }: EnrollmentRecord, request: ChallengeRequest): TpmKeys | FaultResponse {
  if (attestation.type !== 'tpm')
    return refuse(
      faults.unauthorized(`the enrollment is for ${attestation.type}, and the request proves no such thing`),
    );
  const { endorsementKey, storageRootKey = attestation.storageRootKey } = request;
  if (endorsementKey === undefined) {
    return refuse(faults.unauthorized('the request carries neither a token nor the keys of a TPM'));
  }
  if (!isSameKey(endorsementKey, attestation.endorsementKey)) {
    return refuse(faults.endorsementKey('the endorsement key is not the enrolled one'));
  }
  if (storageRootKey === undefined) {
    return refuse(faults.storageRootKey('neither the request nor the enrollment has one'));
  }
  return { endorsementKey, storageRootKey };
}

/** Compares two public keys. */
export function isSameKey(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
