import { defaultServiceApiVersion, parseApiVersion, validateApiVersion } from '../identifiers/api-version.ts';
import { findRegistrationIdProblem, validateRegistrationId } from '../identifiers/registration-id.ts';
import { malformed } from '../json/malformed.ts';
import { percentEncode } from '../sas/sas-resource.ts';
import { isWord, splitTarget } from './target-path.ts';

/** What a request of the service API does with an individual enrollment or a registration record. */
export type ServiceOperation =
  | 'get-enrollment'
  | 'put-enrollment'
  | 'delete-enrollment'
  | 'get-attestation-mechanism'
  | 'get-registration'
  | 'delete-registration';

/** A request target of the service API, decoded. */
export interface ServiceTarget {
  readonly kind: ServiceOperation;
  readonly registrationId: string;
  readonly apiVersion: string;
}

/** The method each operation uses. */
export const serviceMethods: Readonly<Record<ServiceOperation, 'GET' | 'PUT' | 'DELETE' | 'POST'>> =
  Object.freeze({
    'get-enrollment': 'GET',
    'put-enrollment': 'PUT',
    'delete-enrollment': 'DELETE',
    'get-attestation-mechanism': 'POST',
    'get-registration': 'GET',
    'delete-registration': 'DELETE',
  });

/** Target of a service API request. Throws `ERR_INVALID_ARGUMENT` for an unusable part. */
export function encodeServiceTarget(request: {
  readonly kind: ServiceOperation;
  readonly registrationId: string;
  /** Default {@link defaultServiceApiVersion}. */
  readonly apiVersion?: string | undefined;
}): string {
  const id = percentEncode(validateRegistrationId(request.registrationId));
  const version = `?api-version=${validateApiVersion(request.apiVersion ?? defaultServiceApiVersion)}`;
  switch (request.kind) {
    case 'get-enrollment':
    case 'put-enrollment':
    case 'delete-enrollment':
      return `/enrollments/${id}${version}`;
    case 'get-attestation-mechanism':
      return `/enrollments/${id}/attestationmechanism${version}`;
    case 'get-registration':
    case 'delete-registration':
      return `/registrations/${id}${version}`;
    default:
      return request.kind satisfies never;
  }
}

/**
 * Decodes a request of the service API; undefined when the path belongs to none of its operations.
 *
 * Throws `ERR_REMOTE_UNEXPECTED` with the evidence path `method` for the wrong method, and
 * `ERR_REMOTE_MALFORMED` for a bad id, bad percent-encoding, or a missing or bad `api-version`.
 */
export function parseServiceTarget(method: string, target: string): ServiceTarget | undefined {
  const { segments, query } = splitTarget(target);
  const candidates = candidatesFor(segments);
  if (candidates.length === 0) return undefined;
  const kind = candidates.find((candidate) => serviceMethods[candidate] === method);
  if (kind === undefined) {
    const allowed = candidates.map((candidate) => serviceMethods[candidate]).join(', ');
    throw malformed('request target', 'method', `must be one of ${allowed}`, {
      code: 'ERR_REMOTE_UNEXPECTED',
      sample: method,
    });
  }
  const registrationId = segments[1] ?? '';
  const problem = findRegistrationIdProblem(registrationId);
  if (problem !== undefined) throw malformed('request target', 'registrationId', problem);
  return { kind, registrationId, apiVersion: parseApiVersion(query.get('api-version')).text };
}

function candidatesFor(segments: readonly string[]): readonly ServiceOperation[] {
  const [collection, , action] = segments;
  if (segments.length === 3 && isWord(collection, 'enrollments') && isWord(action, 'attestationmechanism')) {
    return ['get-attestation-mechanism'];
  }
  if (segments.length !== 2) return [];
  if (isWord(collection, 'enrollments')) {
    // POST /enrollments/query shares the shape; `query` is a registration id for every other method.
    return ['get-enrollment', 'put-enrollment', 'delete-enrollment'];
  }
  return isWord(collection, 'registrations') ? ['get-registration', 'delete-registration'] : [];
}
