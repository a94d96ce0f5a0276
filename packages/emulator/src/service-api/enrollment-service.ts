/**
 * The service API, free of carriers: enrollments and registration records, with the version rules of the
 * service: no `If-Match` creates only, a matching one or `*` replaces only, another one is refused.
 */
import type { RegistrationState } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import type { AttestationMechanism, IndividualEnrollment, ServiceOperation } from '@endorse/protocol';
import {
  createEtag,
  encodeIndividualEnrollment,
  formatTimestamp,
  matchesEtag,
  maxRequestBytes,
} from '@endorse/protocol';
import { findStorageKeyProblem } from '../core/activation.ts';
import type { AssignmentParts } from '../core/assignment.ts';
import { settleDue } from '../core/assignment.ts';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';
import type { FaultResponse } from '../core/refusal.ts';
import { noteRefusal, refuse } from '../core/refusal.ts';
import type { EnrollmentRecord } from '../core/store.ts';
import type { AccessCheck, AccessRight } from './access-policies.ts';

/** A request of the service API as a carrier read it. */
export interface ServiceRequest {
  readonly kind: ServiceOperation;
  readonly registrationId: string;
  /** The SAS token, as it came. */
  readonly token: string | undefined;
  /** `If-Match`, as it came. */
  readonly ifMatch?: string | undefined;
  /** Body of `put-enrollment`. Read only after the token was found good. */
  readonly readEnrollment?: () => IndividualEnrollment;
}

/** Any answer of the service API. */
export type ServiceResponse =
  | { readonly outcome: 'enrollment'; readonly enrollment: IndividualEnrollment }
  | { readonly outcome: 'attestation'; readonly attestation: AttestationMechanism }
  | { readonly outcome: 'registration'; readonly state: RegistrationState }
  | { readonly outcome: 'deleted' }
  | FaultResponse;

/** The service API without a carrier. */
export interface EnrollmentService {
  /** Answers a request; one indivisible step. Throws only what `readEnrollment` throws. */
  handle(request: ServiceRequest): ServiceResponse;
  /** Writes an enrollment as `put-enrollment` does, without a token: the shortcut for the process the emulator runs in. */
  write(enrollment: IndividualEnrollment, ifMatch: string | undefined): ServiceResponse;
}

/** Makes the service API over a store. */
export function createEnrollmentService(
  parts: AssignmentParts & { readonly checkAccess: AccessCheck },
): EnrollmentService {
  const { store, memories, clock, random, emit } = parts;
  return {
    handle: (request) => noteRefusal(emit, request.kind, request.registrationId, handle(request)),
    write: (enrollment, ifMatch) =>
      noteRefusal(emit, 'put-enrollment', enrollment.registrationId, write(enrollment, ifMatch)),
  };

  function handle(request: ServiceRequest): ServiceResponse {
    const { kind, registrationId, token, ifMatch } = request;
    const { right, path } = operations[kind];
    const problem = parts.checkAccess({ token, right, path: path(registrationId), now: clock.now() });
    if (problem !== undefined) return refuse(faults.unauthorized(problem));
    if (kind === 'put-enrollment') return put(request);
    const enrollment = store.enrollments.get(registrationId);
    if (enrollment === undefined) return refuse(faults.enrollmentNotFound(registrationId));
    settleDue(parts, enrollment);
    const registration = store.registrations.get(registrationId);
    switch (kind) {
      case 'get-enrollment':
        return { outcome: 'enrollment', enrollment: describe(enrollment) };
      case 'get-attestation-mechanism':
        return { outcome: 'attestation', attestation: enrollment.attestation };
      case 'delete-enrollment': {
        if (ifMatch !== undefined && !matchesEtag(ifMatch, enrollment.etag)) return refuse(staleVersion);
        store.enrollments.delete(registrationId);
        store.registrations.delete(registrationId);
        memories.forget(registrationId);
        emit({ event: 'enrollment-deleted', registrationId: enrollment.registrationId });
        return { outcome: 'deleted' };
      }
      case 'get-registration':
        if (registration === undefined) return refuse(notRegistered);
        return { outcome: 'registration', state: registration };
      case 'delete-registration': {
        if (registration === undefined) return refuse(notRegistered);
        const etag = Buffer.from(registration.etag ?? '', 'base64').toString();
        const matches =
          ifMatch === undefined ||
          matchesEtag(ifMatch, etag) ||
          matchesEtag(ifMatch, registration.etag ?? '');
        if (!matches) return refuse(staleVersion);
        store.registrations.delete(registrationId);
        memories.forget(registrationId);
        return { outcome: 'deleted' };
      }
      default:
        return kind satisfies never;
    }
  }

  function put(request: ServiceRequest): ServiceResponse {
    const enrollment = request.readEnrollment?.();
    if (enrollment === undefined) return refuse(faults.invalidArgument('The enrollment is missing.'));
    if (enrollment.registrationId.toLowerCase() !== request.registrationId.toLowerCase()) {
      return refuse(faults.invalidArgument('The registration id of the body is not the one of the path.'));
    }
    return write(enrollment, request.ifMatch);
  }

  function write(given: IndividualEnrollment, ifMatch: string | undefined): ServiceResponse {
    const existing = store.enrollments.get(given.registrationId);
    if (existing === undefined && ifMatch !== undefined) return refuse(staleVersion);
    if (existing !== undefined && ifMatch === undefined) {
      return refuse(faults.conflict('the enrollment exists; send If-Match to replace it'));
    }
    if (existing !== undefined && ifMatch !== undefined && !matchesEtag(ifMatch, existing.etag))
      return refuse(staleVersion);
    const record = complete(given, existing);
    const problem = findEnrollmentProblem(record);
    if (problem !== undefined) return refuse(problem);
    store.enrollments.set(record.registrationId, record);
    // A challenge for the keys enrolled before must not open anything now.
    if (existing !== undefined && !isSameAttestation(existing, record))
      memories.forget(record.registrationId);
    const { registrationId } = record;
    emit({ event: 'enrollment-written', registrationId, created: existing === undefined });
    return { outcome: 'enrollment', enrollment: describe(record) };
  }

  /** Fills in what the service adds and what it defaults. */
  function complete(given: IndividualEnrollment, existing: EnrollmentRecord | undefined): EnrollmentRecord {
    const { registrationState: _readOnly, ...writable } = given;
    const now = formatTimestamp(clock.now());
    return {
      capabilities: { iotEdge: false },
      allocationPolicy: 'hashed',
      reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: true },
      ...writable,
      registrationId: existing?.registrationId ?? given.registrationId,
      provisioningStatus: given.provisioningStatus ?? 'enabled',
      etag: createEtag(random),
      createdDateTimeUtc: existing?.createdDateTimeUtc ?? now,
      lastUpdatedDateTimeUtc: now,
    };
  }

  function describe(record: EnrollmentRecord): IndividualEnrollment {
    const registrationState = store.registrations.get(record.registrationId);
    return registrationState === undefined ? record : { ...record, registrationState };
  }
}

/** The right each operation takes, and the resource it is about. */
const operations: Readonly<
  Record<ServiceOperation, { readonly right: AccessRight; readonly path: (registrationId: string) => string }>
> = Object.freeze({
  'get-enrollment': { right: 'EnrollmentRead', path: (id) => `enrollments/${id}` },
  'put-enrollment': { right: 'EnrollmentWrite', path: (id) => `enrollments/${id}` },
  'delete-enrollment': { right: 'EnrollmentWrite', path: (id) => `enrollments/${id}` },
  'get-attestation-mechanism': {
    right: 'EnrollmentRead',
    path: (id) => `enrollments/${id}/attestationmechanism`,
  },
  'get-registration': { right: 'RegistrationStatusRead', path: (id) => `registrations/${id}` },
  'delete-registration': { right: 'RegistrationStatusWrite', path: (id) => `registrations/${id}` },
});

const staleVersion = faults.preconditionFailed('If-Match names another version than the present one');
const notRegistered = faults.registrationNotFound('the device of this enrollment has not registered');

/** Room for what the service adds to an enrollment when it answers: its registration state, above all. */
const answerReserveBytes = 4096;

function findEnrollmentProblem(record: EnrollmentRecord): ServiceFault | undefined {
  const { attestation, allocationPolicy, customAllocationDefinition } = record;
  if (attestation.type !== 'tpm') {
    return faults.invalidArgument(
      'Unsupported attestation.',
      `this emulator enrolls type tpm, not ${attestation.type}`,
    );
  }
  const problem = findStorageKeyProblem(attestation.endorsementKey);
  if (problem !== undefined) return faults.endorsementKey(problem);
  const { storageRootKey } = attestation;
  const otherProblem = storageRootKey && findStorageKeyProblem(storageRootKey);
  if (otherProblem !== undefined) return faults.storageRootKey(otherProblem);
  if (allocationPolicy === 'custom' && customAllocationDefinition === undefined) {
    return faults.invalidArgument(
      "A CustomAllocationDefinition is required when the allocation policy is set to 'Custom'",
    );
  }
  return findSizeProblem(record);
}

/** An enrollment that can be stored must also fit into every later answer. */
function findSizeProblem(record: EnrollmentRecord): ServiceFault | undefined {
  try {
    const bytes = Buffer.byteLength(encodeIndividualEnrollment(record)) + answerReserveBytes;
    if (bytes <= maxRequestBytes) return undefined;
  } catch (error) {
    if (!isEndorseError(error)) throw error;
  }
  return faults.tooLarge(`an enrollment may have ${maxRequestBytes - answerReserveBytes} bytes`);
}

function isSameAttestation(left: EnrollmentRecord, right: EnrollmentRecord): boolean {
  if (left.attestation.type !== 'tpm' || right.attestation.type !== 'tpm') return false;
  return Buffer.from(left.attestation.endorsementKey).equals(right.attestation.endorsementKey);
}
