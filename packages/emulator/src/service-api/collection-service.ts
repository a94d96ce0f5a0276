/** The service API for many records at once, free of carriers: bulk operations and queries. */
import type { CollectionOperation } from '@endorse/protocol';
import { decodeEnrollmentBulkOperation, decodeGroupBulkOperation, decodeQuery } from '@endorse/protocol';
import type { AssignmentParts } from '../core/assignment.ts';
import { faults } from '../core/fault.ts';
import { noteRefusal, refuse } from '../core/refusal.ts';
import type { AccessCheck, AccessRight } from './access-policies.ts';
import { runBulk } from './bulk-service.ts';
import type { EnrollmentGroupService } from './enrollment-group-service.ts';
import type { EnrollmentService, ServiceResponse } from './enrollment-service.ts';
import { readPage } from './query-service.ts';
import type { QuerySource } from './query-sources.ts';
import { enrollmentGroupRows, enrollmentRows, registrationRows } from './query-sources.ts';

/** A request of the service API about many records, as a carrier read it. */
export interface CollectionRequest {
  readonly kind: CollectionOperation;
  /** `query-registrations` only. */
  readonly enrollmentGroupId?: string;
  /** The SAS token, as it came. */
  readonly token: string | undefined;
  /** `x-ms-max-item-count`, as it came. */
  readonly maxItemCount?: string | undefined;
  /** `x-ms-continuation`, as it came. */
  readonly continuation?: string | undefined;
  /** The body. Read only after the token was found good. */
  readonly readBody: () => Uint8Array | string;
}

/** The service API for many records, without a carrier. */
export interface CollectionService {
  /** Answers a request; one indivisible step. Throws `RemoteProtocolError` for a body that cannot be read. */
  handle(request: CollectionRequest): ServiceResponse;
}

/** Makes the service API for many records over that for single ones. */
export function createCollectionService(
  parts: AssignmentParts & {
    readonly checkAccess: AccessCheck;
    readonly enrollments: EnrollmentService;
    readonly enrollmentGroups: EnrollmentGroupService;
  },
): CollectionService {
  const { store, clock, enrollments, enrollmentGroups } = parts;
  return {
    handle: (request) => noteRefusal(parts.emit, request.kind, request.enrollmentGroupId, handle(request)),
  };

  function handle(request: CollectionRequest): ServiceResponse {
    const { kind, enrollmentGroupId = '', token, readBody } = request;
    const { right, path } = operations[kind];
    const problem = parts.checkAccess({ token, right, path: path(enrollmentGroupId), now: clock.now() });
    if (problem !== undefined) return refuse(faults.unauthorized(problem));
    switch (kind) {
      case 'bulk-enrollments': {
        const operation = decodeEnrollmentBulkOperation(readBody());
        const result = runBulk(
          operation,
          enrollments,
          (id) => store.enrollments.get(id)?.etag,
          faults.enrollmentNotFound,
        );
        return { outcome: 'bulk', kind: 'enrollments', result };
      }
      case 'bulk-enrollment-groups': {
        const operation = decodeGroupBulkOperation(readBody());
        const etagOf = (id: string): string | undefined => store.enrollmentGroups.get(id)?.etag;
        const result = runBulk(operation, enrollmentGroups, etagOf, faults.enrollmentGroupNotFound);
        return { outcome: 'bulk', kind: 'enrollmentGroups', result };
      }
      case 'query-enrollments':
        return query(request, enrollmentRows(store, enrollments));
      case 'query-enrollment-groups':
        return query(request, enrollmentGroupRows(store, enrollmentGroups));
      case 'query-registrations': {
        if (store.enrollmentGroups.get(enrollmentGroupId) === undefined) {
          return refuse(faults.enrollmentGroupNotFound(enrollmentGroupId));
        }
        return query(request, registrationRows(parts, enrollmentGroupId));
      }
      default:
        return kind satisfies never;
    }
  }

  function query(request: CollectionRequest, source: QuerySource): ServiceResponse {
    const text = decodeQuery(request.readBody()) ?? 'SELECT *';
    return readPage(source, { text, maxItemCount: request.maxItemCount, continuation: request.continuation });
  }
}

/** The right each operation takes, and the resource it is about. */
const operations: Readonly<
  Record<CollectionOperation, { readonly right: AccessRight; readonly path: (groupId: string) => string }>
> = Object.freeze({
  'bulk-enrollments': { right: 'EnrollmentWrite', path: () => 'enrollments' },
  'query-enrollments': { right: 'EnrollmentRead', path: () => 'enrollments/query' },
  'bulk-enrollment-groups': { right: 'EnrollmentWrite', path: () => 'enrollmentGroups' },
  'query-enrollment-groups': { right: 'EnrollmentRead', path: () => 'enrollmentGroups/query' },
  'query-registrations': { right: 'RegistrationStatusRead', path: (id) => `registrations/${id}/query` },
});
