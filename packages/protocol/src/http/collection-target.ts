import { defaultServiceApiVersion, parseApiVersion, validateApiVersion } from '../identifiers/api-version.ts';
import { findRegistrationIdProblem, validateRegistrationId } from '../identifiers/registration-id.ts';
import { malformed } from '../json/malformed.ts';
import { percentEncode } from '../sas/sas-resource.ts';
import { isWord, splitTarget } from './target-path.ts';

/** What a request of the service API does with many records at once. All of them are `POST`. */
export type CollectionOperation =
  | 'bulk-enrollments'
  | 'query-enrollments'
  | 'bulk-enrollment-groups'
  | 'query-enrollment-groups'
  | 'query-registrations';

/** A request target of the service API that is about many records, decoded. */
export interface CollectionTarget {
  readonly kind: CollectionOperation;
  /** The group whose devices' registrations are asked for; `query-registrations` only. */
  readonly enrollmentGroupId?: string;
  readonly apiVersion: string;
}

/** Target of a request about many records. Throws `ERR_INVALID_ARGUMENT` for an unusable part. */
export function encodeCollectionTarget(request: {
  readonly kind: CollectionOperation;
  /** Needed by `query-registrations`. */
  readonly enrollmentGroupId?: string | undefined;
  /** Default {@link defaultServiceApiVersion}. */
  readonly apiVersion?: string | undefined;
}): string {
  const { kind, enrollmentGroupId = '', apiVersion = defaultServiceApiVersion } = request;
  const version = `?api-version=${validateApiVersion(apiVersion)}`;
  if (kind !== 'query-registrations') return `${collectionPaths[kind]}${version}`;
  const id = percentEncode(validateRegistrationId(enrollmentGroupId, 'enrollmentGroupId'));
  return `/registrations/${id}/query${version}`;
}

/**
 * Decodes a request about many records; undefined when the target belongs to none, as `GET /enrollments/query`, which
 * is about one enrollment with that id.
 *
 * Throws `ERR_REMOTE_UNEXPECTED` with the evidence path `method` for the wrong method, and `ERR_REMOTE_MALFORMED`
 * for a bad id, bad percent-encoding, or a missing or bad `api-version`.
 */
export function parseCollectionTarget(method: string, target: string): CollectionTarget | undefined {
  const { segments, query } = splitTarget(target);
  const kind = kindOf(segments);
  if (kind === undefined) return undefined;
  if (method !== 'POST') {
    // One record may be called "query".
    if (kind === 'query-enrollments' || kind === 'query-enrollment-groups') return undefined;
    throw malformed('request target', 'method', 'must be POST', {
      code: 'ERR_REMOTE_UNEXPECTED',
      sample: method,
    });
  }
  const read = (): string => parseApiVersion(query.get('api-version')).text;
  if (kind !== 'query-registrations') return { kind, apiVersion: read() };
  const [, enrollmentGroupId = ''] = segments;
  const problem = findRegistrationIdProblem(enrollmentGroupId);
  if (problem !== undefined) throw malformed('request target', 'enrollmentGroupId', problem);
  return { kind, enrollmentGroupId, apiVersion: read() };
}

const collectionPaths: Readonly<Record<Exclude<CollectionOperation, 'query-registrations'>, string>> = {
  'bulk-enrollments': '/enrollments',
  'query-enrollments': '/enrollments/query',
  'bulk-enrollment-groups': '/enrollmentGroups',
  'query-enrollment-groups': '/enrollmentGroups/query',
};

function kindOf(segments: readonly string[]): CollectionOperation | undefined {
  const [collection, second, third] = segments;
  const isQuery = segments.length === 2 && isWord(second, 'query');
  if (isWord(collection, 'enrollments')) {
    return segments.length === 1 ? 'bulk-enrollments' : isQuery ? 'query-enrollments' : undefined;
  }
  // The official Node client writes /enrollmentgroups/ for one of its requests.
  if (isWord(collection, 'enrollmentGroups')) {
    return segments.length === 1 ? 'bulk-enrollment-groups' : isQuery ? 'query-enrollment-groups' : undefined;
  }
  const isRegistrations =
    segments.length === 3 && isWord(collection, 'registrations') && isWord(third, 'query');
  return isRegistrations ? 'query-registrations' : undefined;
}
