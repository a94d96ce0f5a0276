import { defaultServiceApiVersion, parseApiVersion, validateApiVersion } from '../identifiers/api-version.ts';
import { findRegistrationIdProblem, validateRegistrationId } from '../identifiers/registration-id.ts';
import { malformed } from '../json/malformed.ts';
import { percentEncode } from '../sas/sas-resource.ts';
import { isWord, splitTarget } from './target-path.ts';

/** What a request of the service API does with an enrollment group. */
export type EnrollmentGroupOperation =
  | 'get-enrollment-group'
  | 'put-enrollment-group'
  | 'delete-enrollment-group'
  | 'get-group-attestation-mechanism';

/** A request target of the service API that is about an enrollment group, decoded. */
export interface EnrollmentGroupTarget {
  readonly kind: EnrollmentGroupOperation;
  readonly enrollmentGroupId: string;
  readonly apiVersion: string;
}

/** The method each operation on a group uses. */
export const enrollmentGroupMethods: Readonly<
  Record<EnrollmentGroupOperation, 'GET' | 'PUT' | 'DELETE' | 'POST'>
> = Object.freeze({
  'get-enrollment-group': 'GET',
  'put-enrollment-group': 'PUT',
  'delete-enrollment-group': 'DELETE',
  'get-group-attestation-mechanism': 'POST',
});

/** Target of a request about an enrollment group. Throws `ERR_INVALID_ARGUMENT` for an unusable part. */
export function encodeEnrollmentGroupTarget(request: {
  readonly kind: EnrollmentGroupOperation;
  readonly enrollmentGroupId: string;
  /** Default {@link defaultServiceApiVersion}. */
  readonly apiVersion?: string | undefined;
}): string {
  const id = percentEncode(validateRegistrationId(request.enrollmentGroupId, 'enrollmentGroupId'));
  const action = request.kind === 'get-group-attestation-mechanism' ? '/attestationmechanism' : '';
  const version = validateApiVersion(request.apiVersion ?? defaultServiceApiVersion);
  return `/enrollmentGroups/${id}${action}?api-version=${version}`;
}

/**
 * Decodes a request about an enrollment group; undefined when the path belongs to none.
 *
 * Throws `ERR_REMOTE_UNEXPECTED` with the evidence path `method` for the wrong method, and
 * `ERR_REMOTE_MALFORMED` for a bad id, bad percent-encoding, or a missing or bad `api-version`.
 */
export function parseEnrollmentGroupTarget(
  method: string,
  target: string,
): EnrollmentGroupTarget | undefined {
  const { segments, query } = splitTarget(target);
  const [collection, enrollmentGroupId = '', action] = segments;
  // The official Node client writes /enrollmentgroups/ for one of its requests.
  if (!isWord(collection, 'enrollmentGroups')) return undefined;
  const candidates = candidatesFor(segments.length, action);
  if (candidates.length === 0) return undefined;
  const kind = candidates.find((candidate) => enrollmentGroupMethods[candidate] === method);
  if (kind === undefined) {
    const allowed = candidates.map((candidate) => enrollmentGroupMethods[candidate]).join(', ');
    throw malformed('request target', 'method', `must be one of ${allowed}`, {
      code: 'ERR_REMOTE_UNEXPECTED',
      sample: method,
    });
  }
  const problem = findRegistrationIdProblem(enrollmentGroupId);
  if (problem !== undefined) throw malformed('request target', 'enrollmentGroupId', problem);
  return { kind, enrollmentGroupId, apiVersion: parseApiVersion(query.get('api-version')).text };
}

function candidatesFor(length: number, action: string | undefined): readonly EnrollmentGroupOperation[] {
  if (length === 2) return ['get-enrollment-group', 'put-enrollment-group', 'delete-enrollment-group'];
  return length === 3 && isWord(action, 'attestationmechanism') ? ['get-group-attestation-mechanism'] : [];
}
