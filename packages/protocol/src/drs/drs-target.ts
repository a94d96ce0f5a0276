import { parseApiVersion, validateApiVersion } from '../identifiers/api-version.ts';
import { findOperationIdProblem, validateOperationId } from '../identifiers/operation-id.ts';
import { findRegistrationIdProblem, validateRegistrationId } from '../identifiers/registration-id.ts';
import { isWord, splitTarget, type TargetParts } from '../http/target-path.ts';
import { malformed } from '../json/malformed.ts';
import { percentEncode } from '../sas/sas-resource.ts';

/** The `api-version` of the `/drs/` dialect by default: the oldest the service ever published, as the dialect is older. */
export const defaultDrsApiVersion = '2017-08-31-preview';

/** A request target of the `/drs/` dialect, decoded. */
export type DrsTarget = { readonly registrationId: string; readonly apiVersion: string } & (
  | { readonly kind: 'register' }
  | { readonly kind: 'trust-confirmation' }
  | { readonly kind: 'operation'; readonly operationId: string }
);

/** The method each kind of request uses. */
export const drsMethods: {
  readonly register: 'POST';
  readonly 'trust-confirmation': 'POST';
  readonly operation: 'GET';
} = Object.freeze({ register: 'POST', 'trust-confirmation': 'POST', operation: 'GET' });

/** What the targets of the dialect are made from. */
export interface DrsTargetOptions {
  readonly registrationId: string;
  /** Default {@link defaultDrsApiVersion}. */
  readonly apiVersion?: string | undefined;
}

/** Target of `POST /drs/registrations/{registrationId}/register-me`. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeDrsRegisterTarget(request: DrsTargetOptions): string {
  return `/drs/registrations/${id(request)}/register-me${versionQuery(request)}`;
}

/** Target of `POST /drs/trust-confirmation/{registrationId}`. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeDrsTrustConfirmationTarget(request: DrsTargetOptions): string {
  return `/drs/trust-confirmation/${id(request)}${versionQuery(request)}`;
}

/**
 * Target of `GET /drs/registrations/{registrationId}/operations/{operationId}`, where an operation is looked up when
 * the service gave its id and no progress URL. Throws `ERR_INVALID_ARGUMENT`.
 */
export function encodeDrsOperationTarget(
  request: DrsTargetOptions & { readonly operationId: string },
): string {
  return `${encodeDrsOperationPath(request)}${versionQuery(request)}`;
}

/** The same without `api-version`: what a service answers as progress URL. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeDrsOperationPath(request: {
  readonly registrationId: string;
  readonly operationId: string;
}): string {
  const operationId = percentEncode(validateOperationId(request.operationId));
  return `/drs/registrations/${id(request)}/operations/${operationId}`;
}

/**
 * Decodes a request of the dialect; undefined when the path belongs to none of its operations.
 *
 * Throws `ERR_REMOTE_UNEXPECTED` with the evidence path `method` for the wrong method, and
 * `ERR_REMOTE_MALFORMED` for a bad id, bad percent-encoding, or a missing or bad `api-version`.
 */
export function parseDrsTarget(method: string, target: string): DrsTarget | undefined {
  const parts = splitTarget(target);
  const kind = kindOf(parts);
  if (kind === undefined) return undefined;
  if (method !== drsMethods[kind]) {
    throw malformed('request target', 'method', `must be ${drsMethods[kind]} for ${kind}`, {
      code: 'ERR_REMOTE_UNEXPECTED',
      sample: method,
    });
  }
  const registrationId = parts.segments[2] ?? '';
  const problem = findRegistrationIdProblem(registrationId);
  if (problem !== undefined) throw malformed('request target', 'registrationId', problem);
  const common = { registrationId, apiVersion: parseApiVersion(parts.query.get('api-version')).text };
  if (kind !== 'operation') return { kind, ...common };
  const operationId = parts.segments[4] ?? '';
  const operationProblem = findOperationIdProblem(operationId);
  if (operationProblem !== undefined) throw malformed('request target', 'operationId', operationProblem);
  return { kind, ...common, operationId };
}

function kindOf({ segments }: TargetParts): DrsTarget['kind'] | undefined {
  const [drs, collection, , action] = segments;
  if (!isWord(drs, 'drs')) return undefined;
  if (segments.length === 3 && isWord(collection, 'trust-confirmation')) return 'trust-confirmation';
  if (!isWord(collection, 'registrations')) return undefined;
  if (segments.length === 4 && isWord(action, 'register-me')) return 'register';
  return segments.length === 5 && isWord(action, 'operations') ? 'operation' : undefined;
}

function id({ registrationId }: { readonly registrationId: string }): string {
  return percentEncode(validateRegistrationId(registrationId));
}

function versionQuery({ apiVersion = defaultDrsApiVersion }: DrsTargetOptions): string {
  return `?api-version=${validateApiVersion(apiVersion)}`;
}
