/**
 * The service API, free of carriers: enrollments and registration records, with the version rules of the
 * service: no `If-Match` creates only, a matching one or `*` replaces only, another one is refused.
 */
import type { RegistrationState } from '@endorse/interface';
import type {
  AttestationMechanism,
  BulkKind,
  BulkResult,
  EnrollmentGroup,
  IndividualEnrollment,
  ServiceOperation,
} from '@endorse/protocol';
import { createEtag, encodeIndividualEnrollment, formatTimestamp, matchesEtag } from '@endorse/protocol';
import { settleDue } from '../core/assignment.ts';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';
import type { FaultResponse } from '../core/refusal.ts';
import { noteRefusal, refuse } from '../core/refusal.ts';
import { findStrictEnrollmentFault } from '../core/strictness.ts';
import type { EnrollmentRecord } from '../core/store.ts';
import type { AccessRight } from './access-policies.ts';
import {
  completeAttestation,
  findIndividualAttestationFault,
  isSameAttestation,
  withKeys,
  withoutKeys,
} from './attestation-rules.ts';
import type { EnrollmentParts } from './enrollment-parts.ts';
import { defaultSettings, findSettingsFault, findSizeFault } from './enrollment-rules.ts';
import type { QueryPage } from './query-service.ts';
import { findDeleteFault, findWriteFault, staleVersion } from './version-rules.ts';

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
  | { readonly outcome: 'enrollment-group'; readonly group: EnrollmentGroup }
  | { readonly outcome: 'attestation'; readonly attestation: AttestationMechanism }
  | { readonly outcome: 'registration'; readonly state: RegistrationState }
  | { readonly outcome: 'bulk'; readonly kind: BulkKind; readonly result: BulkResult }
  | ({ readonly outcome: 'page' } & QueryPage)
  | { readonly outcome: 'deleted' }
  | FaultResponse;

/** The service API without a carrier. */
export interface EnrollmentService {
  /** Answers a request; one indivisible step. Throws only what `readEnrollment` throws. */
  handle(request: ServiceRequest): ServiceResponse;
  /** Writes an enrollment as `put-enrollment` does, without a token: the shortcut for the process the emulator runs in. */
  write(enrollment: IndividualEnrollment, ifMatch: string | undefined): ServiceResponse;
  /** Removes an enrollment as `delete-enrollment` does, without a token. */
  remove(registrationId: string, ifMatch: string | undefined): ServiceResponse;
  /** What anyone who may read a stored enrollment sees: its registration, but no keys. */
  describe(record: EnrollmentRecord): IndividualEnrollment;
}

/** Makes the service API over a store. */
export function createEnrollmentService(parts: EnrollmentParts): EnrollmentService {
  const { store, clock, random, emit } = parts;
  return {
    handle: (request) => noteRefusal(emit, request.kind, request.registrationId, handle(request)),
    write: (enrollment, ifMatch) =>
      noteRefusal(emit, 'put-enrollment', enrollment.registrationId, write(enrollment, ifMatch)),
    remove: (registrationId, ifMatch) =>
      noteRefusal(emit, 'delete-enrollment', registrationId, remove(registrationId, ifMatch)),
    describe: describeWithoutKeys,
  };

  function handle(request: ServiceRequest): ServiceResponse {
    const { kind, registrationId, token, ifMatch } = request;
    const { right, path } = operations[kind];
    const problem = parts.checkAccess({ token, right, path: path(registrationId), now: clock.now() });
    if (problem !== undefined) return refuse(faults.unauthorized(problem));
    switch (kind) {
      case 'put-enrollment':
        return put(request);
      case 'get-registration':
      case 'delete-registration':
        return handleRegistration(kind, registrationId, ifMatch);
      case 'delete-enrollment':
        return remove(registrationId, ifMatch);
      case 'get-enrollment':
      case 'get-attestation-mechanism':
        return read(kind, registrationId);
      default:
        return kind satisfies never;
    }
  }

  function read(
    kind: 'get-enrollment' | 'get-attestation-mechanism',
    registrationId: string,
  ): ServiceResponse {
    const enrollment = store.enrollments.get(registrationId);
    if (enrollment === undefined) return refuse(faults.enrollmentNotFound(registrationId));
    return kind === 'get-attestation-mechanism'
      ? { outcome: 'attestation', attestation: withKeys(enrollment.attestation) }
      : { outcome: 'enrollment', enrollment: describeWithoutKeys(enrollment) };
  }

  function remove(registrationId: string, ifMatch: string | undefined): ServiceResponse {
    const enrollment = store.enrollments.get(registrationId);
    if (enrollment === undefined) return refuse(faults.enrollmentNotFound(registrationId));
    const fault = findDeleteFault(enrollment, ifMatch);
    if (fault !== undefined) return refuse(fault);
    store.enrollments.delete(registrationId);
    store.registrations.delete(registrationId);
    store.deviceMemories.delete(registrationId);
    emit({ event: 'enrollment-deleted', registrationId: enrollment.registrationId });
    return { outcome: 'deleted' };
  }

  /** Registration records; those of a group's devices have no enrollment of their own. */
  function handleRegistration(
    kind: 'get-registration' | 'delete-registration',
    registrationId: string,
    ifMatch: string | undefined,
  ): ServiceResponse {
    settleDue(parts, registrationId);
    const registration = store.registrations.get(registrationId);
    if (registration === undefined) {
      const known =
        store.enrollments.get(registrationId) !== undefined ||
        store.deviceMemories.get(registrationId) !== undefined;
      return refuse(known ? notRegistered : faults.enrollmentNotFound(registrationId));
    }
    if (kind === 'get-registration') return { outcome: 'registration', state: registration };
    const { etag = '' } = registration;
    const matches =
      ifMatch === undefined ||
      matchesEtag(ifMatch, Buffer.from(etag, 'base64').toString()) ||
      matchesEtag(ifMatch, etag);
    if (!matches) return refuse(staleVersion);
    store.registrations.delete(registrationId);
    store.deviceMemories.delete(registrationId);
    return { outcome: 'deleted' };
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
    const versionFault = findWriteFault(existing, ifMatch);
    if (versionFault !== undefined) return refuse(versionFault);
    const record = complete(given, existing);
    const isStrict = parts.strictness === 'strict';
    const fault =
      findEnrollmentFault(record) ??
      (isStrict ? findStrictEnrollmentFault(record, parts.linkedHubs) : undefined) ??
      parts.countLimits.findEnrollmentFault(record.registrationId);
    if (fault !== undefined) return refuse(fault);
    store.enrollments.set(record.registrationId, record);
    // What was proved for the keys enrolled before, or to a group, must not open anything now.
    if (existing === undefined || !isSameAttestation(existing.attestation, record.attestation))
      store.deviceMemories.delete(record.registrationId);
    const { registrationId } = record;
    emit({ event: 'enrollment-written', registrationId, created: existing === undefined });
    const attestation = withKeys(record.attestation);
    return { outcome: 'enrollment', enrollment: describe({ ...record, attestation }) };
  }

  /** Fills in what the service adds and what it defaults. */
  function complete(given: IndividualEnrollment, existing: EnrollmentRecord | undefined): EnrollmentRecord {
    const { registrationState: _readOnly, ...writable } = given;
    const now = formatTimestamp(clock.now());
    return {
      ...defaultSettings,
      allocationPolicy: parts.allocationPolicy,
      ...writable,
      attestation: completeAttestation(given.attestation, existing?.attestation, random),
      registrationId: existing?.registrationId ?? given.registrationId,
      provisioningStatus: given.provisioningStatus ?? 'enabled',
      etag: createEtag(random),
      createdDateTimeUtc: existing?.createdDateTimeUtc ?? now,
      lastUpdatedDateTimeUtc: now,
    };
  }

  function describeWithoutKeys(record: EnrollmentRecord): IndividualEnrollment {
    settleDue(parts, record.registrationId);
    return describe({ ...record, attestation: withoutKeys(record.attestation) });
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

const notRegistered = faults.registrationNotFound('the device has not registered');

function findEnrollmentFault(record: EnrollmentRecord): ServiceFault | undefined {
  return (
    findCommonNameFault(record) ??
    findIndividualAttestationFault(record.attestation) ??
    findSettingsFault(record) ??
    findSizeFault(() => encodeIndividualEnrollment(record))
  );
}

/** The registration id of a device with a certificate is the common name in it. */
function findCommonNameFault({ registrationId, attestation }: EnrollmentRecord): ServiceFault | undefined {
  if (attestation.type !== 'x509' || registrationId.length <= maxCommonNameLength) return undefined;
  return faults.invalidArgument(
    'The registration id is too long.',
    `it is the common name of the device's certificate, which has at most ${maxCommonNameLength} characters`,
  );
}

/** RFC 5280 appendix A, ub-common-name. */
const maxCommonNameLength = 64;
