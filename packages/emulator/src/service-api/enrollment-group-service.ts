/**
 * The service API for enrollment groups, free of carriers; the same version rules as for individual enrollments.
 */
import type { EnrollmentGroup, EnrollmentGroupOperation } from '@endorse/protocol';
import { createEtag, encodeEnrollmentGroup, formatTimestamp } from '@endorse/protocol';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';
import { noteRefusal, refuse } from '../core/refusal.ts';
import { findStrictEnrollmentFault } from '../core/strictness.ts';
import type { EnrollmentGroupRecord } from '../core/store.ts';
import {
  completeAttestation,
  findGroupAttestationFault,
  isSameAttestation,
  withKeys,
  withoutKeys,
} from './attestation-rules.ts';
import type { EnrollmentParts } from './enrollment-parts.ts';
import { defaultSettings, findSettingsFault, findSizeFault } from './enrollment-rules.ts';
import type { ServiceResponse } from './enrollment-service.ts';
import { findDeleteFault, findWriteFault } from './version-rules.ts';

/** A request of the service API about a group, as a carrier read it. */
export interface EnrollmentGroupRequest {
  readonly kind: EnrollmentGroupOperation;
  readonly enrollmentGroupId: string;
  /** The SAS token, as it came. */
  readonly token: string | undefined;
  /** `If-Match`, as it came. */
  readonly ifMatch?: string | undefined;
  /** Body of `put-enrollment-group`. Read only after the token was found good. */
  readonly readGroup?: () => EnrollmentGroup;
}

/** The service API for groups, without a carrier. */
export interface EnrollmentGroupService {
  /** Answers a request; one indivisible step. Throws only what `readGroup` throws. */
  handle(request: EnrollmentGroupRequest): ServiceResponse;
  /** Writes a group as `put-enrollment-group` does, without a token: the shortcut for the process the emulator runs in. */
  write(group: EnrollmentGroup, ifMatch: string | undefined): ServiceResponse;
  /** Removes a group as `delete-enrollment-group` does, without a token. */
  remove(enrollmentGroupId: string, ifMatch: string | undefined): ServiceResponse;
  /** What anyone who may read a stored group sees: no keys. */
  describe(record: EnrollmentGroupRecord): EnrollmentGroup;
}

/** Makes the service API for groups over a store. */
export function createEnrollmentGroupService(parts: EnrollmentParts): EnrollmentGroupService {
  const { store, clock, random, emit } = parts;
  return {
    handle: (request) => noteRefusal(emit, request.kind, request.enrollmentGroupId, handle(request)),
    write: (group, ifMatch) =>
      noteRefusal(emit, 'put-enrollment-group', group.enrollmentGroupId, write(group, ifMatch)),
    remove: (enrollmentGroupId, ifMatch) =>
      noteRefusal(emit, 'delete-enrollment-group', enrollmentGroupId, remove(enrollmentGroupId, ifMatch)),
    describe,
  };

  function handle(request: EnrollmentGroupRequest): ServiceResponse {
    const { kind, enrollmentGroupId, token, ifMatch } = request;
    const isRead = kind === 'get-enrollment-group' || kind === 'get-group-attestation-mechanism';
    const action = kind === 'get-group-attestation-mechanism' ? '/attestationmechanism' : '';
    const problem = parts.checkAccess({
      token,
      right: isRead ? 'EnrollmentRead' : 'EnrollmentWrite',
      path: `enrollmentGroups/${enrollmentGroupId}${action}`,
      now: clock.now(),
    });
    if (problem !== undefined) return refuse(faults.unauthorized(problem));
    if (kind === 'put-enrollment-group') return put(request);
    if (kind === 'delete-enrollment-group') return remove(enrollmentGroupId, ifMatch);
    const group = store.enrollmentGroups.get(enrollmentGroupId);
    if (group === undefined) return refuse(faults.enrollmentGroupNotFound(enrollmentGroupId));
    return kind === 'get-group-attestation-mechanism'
      ? { outcome: 'attestation', attestation: withKeys(group.attestation) }
      : { outcome: 'enrollment-group', group: describe(group) };
  }

  function remove(enrollmentGroupId: string, ifMatch: string | undefined): ServiceResponse {
    const group = store.enrollmentGroups.get(enrollmentGroupId);
    if (group === undefined) return refuse(faults.enrollmentGroupNotFound(enrollmentGroupId));
    const fault = findDeleteFault(group, ifMatch);
    if (fault !== undefined) return refuse(fault);
    store.enrollmentGroups.delete(enrollmentGroupId);
    store.deviceMemories.deleteGroup(enrollmentGroupId);
    emit({ event: 'enrollment-group-deleted', enrollmentGroupId: group.enrollmentGroupId });
    return { outcome: 'deleted' };
  }

  function describe(record: EnrollmentGroupRecord): EnrollmentGroup {
    return { ...record, attestation: withoutKeys(record.attestation) };
  }

  function put(request: EnrollmentGroupRequest): ServiceResponse {
    const group = request.readGroup?.();
    if (group === undefined) return refuse(faults.invalidArgument('The enrollment group is missing.'));
    if (group.enrollmentGroupId.toLowerCase() !== request.enrollmentGroupId.toLowerCase()) {
      return refuse(
        faults.invalidArgument('The enrollment group id of the body is not the one of the path.'),
      );
    }
    return write(group, request.ifMatch);
  }

  function write(given: EnrollmentGroup, ifMatch: string | undefined): ServiceResponse {
    const existing = store.enrollmentGroups.get(given.enrollmentGroupId);
    const versionFault = findWriteFault(existing, ifMatch);
    if (versionFault !== undefined) return refuse(versionFault);
    const record = complete(given, existing);
    const isStrict = parts.strictness === 'strict';
    const fault =
      findGroupFault(record, (name) => store.caCertificates.get(name) !== undefined) ??
      (isStrict ? findStrictEnrollmentFault(record, parts.linkedHubs) : undefined) ??
      parts.countLimits.findGroupFault(record.enrollmentGroupId, record.attestation.type);
    if (fault !== undefined) return refuse(fault);
    const { enrollmentGroupId } = record;
    store.enrollmentGroups.set(enrollmentGroupId, record);
    // What was proved for the keys of before must not open anything now.
    if (existing !== undefined && !isSameAttestation(existing.attestation, record.attestation))
      store.deviceMemories.deleteGroup(enrollmentGroupId);
    emit({ event: 'enrollment-group-written', enrollmentGroupId, created: existing === undefined });
    return {
      outcome: 'enrollment-group',
      group: { ...record, attestation: withKeys(record.attestation) },
    };
  }

  function complete(
    given: EnrollmentGroup,
    existing: EnrollmentGroupRecord | undefined,
  ): EnrollmentGroupRecord {
    const now = formatTimestamp(clock.now());
    return {
      ...defaultSettings,
      allocationPolicy: parts.allocationPolicy,
      ...given,
      enrollmentGroupId: existing?.enrollmentGroupId ?? given.enrollmentGroupId,
      attestation: completeAttestation(given.attestation, existing?.attestation, random),
      provisioningStatus: given.provisioningStatus ?? 'enabled',
      etag: createEtag(random),
      createdDateTimeUtc: existing?.createdDateTimeUtc ?? now,
      lastUpdatedDateTimeUtc: now,
    };
  }
}

function findGroupFault(
  record: EnrollmentGroupRecord,
  isUploaded: (caName: string) => boolean,
): ServiceFault | undefined {
  return (
    findGroupAttestationFault(record.attestation, isUploaded) ??
    findSettingsFault(record) ??
    findSizeFault(() => encodeEnrollmentGroup(record))
  );
}
