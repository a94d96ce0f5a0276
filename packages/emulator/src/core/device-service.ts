/**
 * The device API, free of carriers: who may register, what the answer is.
 *
 *     requestChallenge → (a token proves the wrapped key) → register → assigning → assigned | failed
 *
 * Invariants: a challenge belongs to (idScope, registrationId), and issuing one voids the one before;
 * whatever follows has to carry a token under its key; the hub key is wrapped for the TPM of the
 * challenge that was answered, never for keys that came later; at most one operation of a registration runs.
 */
import { timingSafeEqual } from 'node:crypto';
import type { RegistrationOperationStatus } from '@endorse/interface';
import type { ParsedSasToken } from '@endorse/protocol';
import {
  createOperationId,
  findRegistrationIdProblem,
  registrationKeyName,
  registrationResource,
} from '@endorse/protocol';
import type { TpmKeys } from './activation.ts';
import { wrapFreshKey } from './activation.ts';
import type { AssignmentParts } from './assignment.ts';
import { settleDue } from './assignment.ts';
import type { IssuedChallenge } from './device-memory.ts';
import type {
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
import type { FaultResponse } from './refusal.ts';
import { noteRefusal, refuse } from './refusal.ts';
import type { EnrollmentRecord } from './store.ts';
import type { TokenExpectation } from './token-check.ts';
import { findTokenProblem, isSameResource, readToken } from './token-check.ts';

/** What the device API works with. */
export interface DeviceServiceParts extends AssignmentParts {
  readonly idScope: string;
  /** Pause asked for while an operation runs, in seconds. */
  readonly retryAfterSeconds: number;
  /** How long an operation runs, in milliseconds. */
  readonly assigningDurationMs: number;
}

/** Makes the device API over a store. */
export function createDeviceService(parts: DeviceServiceParts): DeviceService {
  const { idScope, store, memories, clock, random, emit } = parts;

  return {
    requestChallenge: (request) => note('request-challenge', request, requestChallenge(request)),
    register: (request) => note('register', request, register(request)),
    queryOperation: (request) => note('query-operation', request, queryOperation(request)),
    lookUpState: (request) => note('look-up-state', request, lookUpState(request)),
  };

  function requestChallenge(request: ChallengeRequest): ChallengeResponse | FaultResponse {
    const enrollment = findEnrollment(request);
    if ('outcome' in enrollment) return enrollment;
    const keys = findTpmKeys(enrollment, request);
    if ('outcome' in keys) return keys;
    const { registrationId } = enrollment;
    const wrapped = wrapFreshKey(keys, registrationResource(idScope, registrationId), random);
    if (!wrapped.ok) return refuse(wrapped.fault);
    const { key, activationBlob } = wrapped;
    memories.get(registrationId).challenge = { ...keys, key };
    emit({ event: 'challenge-issued', registrationId, activationBlobBytes: activationBlob.byteLength });
    return { outcome: 'challenge', activationBlob, keyName: registrationKeyName };
  }

  function register(request: RegisterRequest): ChallengeResponse | OperationResponse | FaultResponse {
    const repeated = request.repeatedRegistrationId ?? request.registrationId;
    if (repeated.toLowerCase() !== request.registrationId.toLowerCase()) {
      return refuse(faults.invalidArgument('The registration id of the body is not the one of the path.'));
    }
    if (request.credential.kind === 'none') return requestChallenge(request);
    const authenticated = authenticate(request);
    if ('outcome' in authenticated) return authenticated;
    const { enrollment, challenge } = authenticated;
    const { endorsementKey, payload } = request;
    // Some clients repeat the keys here, some do not; those of the challenge count.
    if (endorsementKey !== undefined && !isSameKey(endorsementKey, challenge.endorsementKey)) {
      return refuse(
        faults.endorsementKey('the request repeats another endorsement key than the challenge was for'),
      );
    }
    const { registrationId } = enrollment;
    if (enrollment.provisioningStatus === 'disabled') {
      const registrationState = { registrationId, status: 'disabled' } as const;
      return { outcome: 'operation', operation: { operationId: '', status: 'disabled', registrationState } };
    }
    const { operations } = memories.get(registrationId);
    // A repeated request is how every client retries; it joins what is already running.
    if (operations.running === undefined) {
      const operationId = createOperationId({ idScope, registrationId }, random);
      const dueAt = clock.now() + parts.assigningDurationMs;
      operations.start({ phase: 'running', operationId, dueAt, keys: challenge, payload });
      emit({ event: 'registration-started', registrationId, operationId });
    }
    return assigning({ operationId: operations.running?.operationId ?? '', status: 'assigning' });
  }

  function queryOperation(request: OperationQuery): OperationResponse | FaultResponse {
    const authenticated = authenticate(request);
    if ('outcome' in authenticated) return authenticated;
    const { registrationId } = authenticated.enrollment;
    const operation = memories.get(registrationId).operations.find(request.operationId);
    if (operation === undefined) return refuse(faults.registrationNotFound('there is no such operation'));
    if (operation.phase === 'settled') return { outcome: 'operation', operation: operation.outcome };
    // The Rust client needs the registration state also while the operation runs.
    const registrationState = { registrationId, status: 'assigning' } as const;
    return assigning({ operationId: operation.operationId, status: 'assigning', registrationState });
  }

  function lookUpState(request: StateQuery): StateResponse | FaultResponse {
    const authenticated = authenticate(request);
    if ('outcome' in authenticated) return authenticated;
    const { registrationId } = authenticated.enrollment;
    const state = store.registrations.get(registrationId);
    if (state !== undefined) return { outcome: 'state', state };
    const { running } = memories.get(registrationId).operations;
    return {
      outcome: 'state',
      state: { registrationId, status: running === undefined ? 'unassigned' : 'assigning' },
    };
  }

  function findEnrollment(request: DeviceIdentity): EnrollmentRecord | FaultResponse {
    if (request.idScope.toLowerCase() !== idScope.toLowerCase()) {
      return refuse(faults.notFound(`there is no ID scope ${request.idScope} here, only ${idScope}`));
    }
    const problem = findRegistrationIdProblem(request.registrationId);
    if (problem !== undefined) return refuse(faults.malformedRequest(`the registration id ${problem}`));
    const enrollment = store.enrollments.get(request.registrationId);
    if (enrollment === undefined) return refuse(faults.enrollmentNotFound(request.registrationId));
    settleDue(parts, enrollment);
    return enrollment;
  }

  function authenticate(
    request: DeviceIdentity & { readonly credential: DeviceCredential },
  ): { readonly enrollment: EnrollmentRecord; readonly challenge: IssuedChallenge } | FaultResponse {
    const enrollment = findEnrollment(request);
    if ('outcome' in enrollment) return enrollment;
    const reading = readToken(request.credential.kind === 'none' ? undefined : request.credential.token);
    if (!reading.ok) return refuse(faults.unauthorized(reading.reason));
    const { challenge } = memories.get(enrollment.registrationId);
    if (challenge === undefined)
      return refuse(faults.unauthorized('no challenge was issued that the token could answer'));
    const resource = registrationResource(idScope, enrollment.registrationId);
    const problem = findDeviceTokenProblem(reading.token, resource, {
      keys: [challenge.key],
      now: clock.now(),
    });
    return problem === undefined ? { enrollment, challenge } : refuse(faults.unauthorized(problem));
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
  if (attestation.type !== 'tpm') return refuse(faults.unauthorized('the enrollment is not for a TPM'));
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

function findDeviceTokenProblem(
  token: ParsedSasToken,
  resource: string,
  expectation: TokenExpectation,
): string | undefined {
  if (!isSameResource(token, resource)) return `the token is for another resource than ${resource}`;
  if (token.keyName?.toLowerCase() !== registrationKeyName)
    return `the token does not say skn=${registrationKeyName}`;
  return findTokenProblem(token, expectation);
}

function isSameKey(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
