/**
 * The `/drs/` dialect: a device proves itself by decrypting a nonce, once.
 *
 *     register → (the TPM decrypts the nonce) → confirm → assigning → assigned | failed
 *
 * Invariants: a challenge belongs to a registration id, issuing one voids the one before, a restart voids all; it can be
 * answered once, within five minutes; the operation is the one of the device API, and so is what the hub learns. The
 * dialect carries no storage root key, to whose Name a credential is bound: the enrollment has to have it.
 */
import { timingSafeEqual } from 'node:crypto';
import type { JsonValue, RegistrationOperationStatus } from '@endorse/interface';
import type { DrsProgress } from '@endorse/protocol';
import { createGuid } from '@endorse/protocol';
import type { AcceptanceParts } from '../core/accept-registration.ts';
import { acceptRegistration } from '../core/accept-registration.ts';
import type { TpmKeys } from '../core/activation.ts';
import { settleDue } from '../core/assignment.ts';
import { isSameKey } from '../core/device-service.ts';
import { faults } from '../core/fault.ts';
import { findOperation, findRunning } from '../core/operation.ts';
import type { FaultResponse } from '../core/refusal.ts';
import { isFault, noteRefusal, refuse } from '../core/refusal.ts';
import type { EnrollmentRecord } from '../core/store.ts';
import type { UnitOfWork } from '../core/unit-of-work.ts';
import type {
  DrsChallengeResponse,
  DrsConfirmationRequest,
  DrsOperationResponse,
  DrsProgressRequest,
  DrsProgressResponse,
  DrsRegistration,
  DrsService,
} from './drs-requests.ts';
import type { NonceForm } from './encrypt-nonce.ts';
import { encryptFreshNonce } from './encrypt-nonce.ts';

/** What the dialect works with. */
export interface DrsServiceParts extends AcceptanceParts, Pick<UnitOfWork, 'atomically'> {
  /** Pause asked for while an operation runs, in seconds. */
  readonly retryAfterSeconds: number;
  readonly nonceForm: NonceForm;
}

interface OpenChallenge {
  readonly correlationId: string;
  readonly nonce: Uint8Array;
  readonly keys: TpmKeys;
  readonly properties: JsonValue | undefined;
  readonly expiresAt: number;
}

/** How long a challenge can be answered, in milliseconds. */
const challengeLifetimeMs = 300_000;

/** Makes the dialect over a store. */
export function createDrsService(parts: DrsServiceParts): DrsService {
  const { store, clock, random, emit, atomically, retryAfterSeconds, nonceForm } = parts;
  // At most one for each enrolled device.
  const challenges = new Map<string, OpenChallenge>();

  return {
    register: (request) => step('drs-register', request.registrationIdOfPath, () => register(request)),
    confirm: (request) => step('drs-confirm', request.registrationId, () => confirm(request)),
    lookUp: (request) => step('drs-progress', request.registrationId, () => lookUp(request)),
  };

  function register(request: DrsRegistration): DrsChallengeResponse | DrsOperationResponse | FaultResponse {
    if (request.registrationId.toLowerCase() !== request.registrationIdOfPath.toLowerCase()) {
      return refuse(faults.invalidArgument('The registration id of the body is not the one of the path.'));
    }
    const found = findEnrollment(request.registrationId);
    if (isFault(found)) return found;
    const { enrollment, keys } = found;
    const { registrationId } = enrollment;
    if (!isSameKey(request.endorsementKey, keys.endorsementKey)) {
      return refuse(faults.endorsementKey('the endorsement key is not the enrolled one'));
    }
    const running = findRunning(store.deviceMemories.get(registrationId));
    if (running !== undefined) return begun(running.operationId);
    const encrypted = encryptFreshNonce(keys, nonceForm, random);
    if (!encrypted.ok) return refuse(encrypted.fault);
    const { nonce, blob } = encrypted;
    const correlationId = createGuid(random);
    const { properties } = request;
    const expiresAt = clock.now() + challengeLifetimeMs;
    challenges.set(keyOf(registrationId), { correlationId, nonce, keys, properties, expiresAt });
    emit({ event: 'challenge-issued', registrationId, activationBlobBytes: blob.byteLength });
    return { outcome: 'challenge', correlationId, nonce: blob };
  }

  function confirm(request: DrsConfirmationRequest): DrsOperationResponse | FaultResponse {
    const found = findEnrollment(request.registrationId);
    if (isFault(found)) return found;
    const { enrollment, keys } = found;
    const { registrationId } = enrollment;
    const challenge = challenges.get(keyOf(registrationId));
    if (challenge?.correlationId !== request.correlationId) {
      return refuse(faults.unauthorized('no challenge with this correlation id is open'));
    }
    // Whatever comes of it: nobody gets a second guess.
    challenges.delete(keyOf(registrationId));
    if (clock.now() > challenge.expiresAt) return refuse(faults.unauthorized('the challenge is too old'));
    if (!isSameKey(challenge.keys.endorsementKey, keys.endorsementKey)) {
      return refuse(faults.unauthorized('the challenge was for another endorsement key'));
    }
    const answer = request.nonce.reveal();
    if (answer.byteLength !== challenge.nonce.byteLength || !timingSafeEqual(answer, challenge.nonce)) {
      return refuse(faults.unauthorized('the nonce is another one'));
    }
    const device = { registrationId };
    const proof = { kind: 'tpm', keys } as const;
    const proven = { outcome: 'authenticated', device, enrollment, proof } as const;
    const accepted = acceptRegistration(parts, proven, challenge.properties);
    return isFault(accepted) ? accepted : begun(accepted.operationId);
  }

  function lookUp({ registrationId, operationId }: DrsProgressRequest): DrsProgressResponse | FaultResponse {
    const found = findEnrollment(registrationId);
    if (isFault(found)) return found;
    // The operation id is a secret between the service and the device, and the key in the answer is wrapped for its TPM.
    const operation = findOperation(store.deviceMemories.get(registrationId), operationId);
    if (operation === undefined) return refuse(faults.registrationNotFound('there is no such operation'));
    return operation.phase === 'running'
      ? { outcome: 'progress', progress: { status: 'assigning' }, retryAfterSeconds }
      : { outcome: 'progress', progress: toProgress(operation.outcome) };
  }

  /** The enrollment of a TPM, enabled, with both its keys; what is due is settled. */
  function findEnrollment(
    registrationId: string,
  ):
    | { readonly outcome: 'found'; readonly enrollment: EnrollmentRecord; readonly keys: TpmKeys }
    | FaultResponse {
    const enrollment = store.enrollments.get(registrationId);
    if (enrollment === undefined) return refuse(faults.enrollmentNotFound(registrationId));
    settleDue(parts, enrollment.registrationId);
    const { attestation, provisioningStatus } = enrollment;
    if (attestation.type !== 'tpm') {
      return refuse(
        faults.unauthorized(`the enrollment is for ${attestation.type}; this dialect is for TPMs`),
      );
    }
    if (provisioningStatus === 'disabled') return refuse(disabled);
    const { endorsementKey, storageRootKey } = attestation;
    if (storageRootKey === undefined) {
      const reason =
        'the enrollment has none, and this dialect carries none to which the nonce could be bound';
      return refuse(faults.storageRootKey(reason));
    }
    return { outcome: 'found', enrollment, keys: { endorsementKey, storageRootKey } };
  }

  function begun(operationId: string): DrsOperationResponse {
    return { outcome: 'operation', operationId, retryAfterSeconds };
  }

  function step<Response extends { readonly outcome: string }>(
    operation: string,
    subject: string,
    work: () => Response,
  ): Response {
    return atomically(() => noteRefusal(emit, operation, subject, work()));
  }
}

const disabled = Object.freeze({
  status: 403,
  errorCode: 403_000,
  message: 'Forbidden',
  reason: 'the enrollment is disabled',
});

function keyOf(registrationId: string): string {
  return registrationId.toLowerCase();
}

function toProgress({ registrationState: state }: RegistrationOperationStatus): DrsProgress {
  if (state?.assignedHub === undefined) {
    const { errorCode, errorMessage } = state ?? {};
    return {
      status: 'failed',
      ...(errorCode === undefined ? {} : { errorCode }),
      ...(errorMessage === undefined ? {} : { errorMessage }),
    };
  }
  const { assignedHub, deviceId, tpm } = state;
  return {
    status: 'assigned',
    iotHubUrl: assignedHub,
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(tpm === undefined ? {} : { authenticationKey: tpm.authenticationKey }),
  };
}
