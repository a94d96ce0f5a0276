import type { RegistrationTarget } from '@endorse/interface';
import { defaultApiVersion, parseApiVersion, validateApiVersion } from '../identifiers/api-version.ts';
import { findOperationIdProblem, validateOperationId } from '../identifiers/operation-id.ts';
import {
  findIdScopeProblem,
  findRegistrationIdProblem,
  validateIdScope,
  validateRegistrationId,
} from '../identifiers/registration-id.ts';
import { malformed } from '../json/malformed.ts';
import { percentEncode } from '../sas/sas-resource.ts';
import { isWord, splitTarget, type TargetParts } from './target-path.ts';

/** Whom a request of the device API is about. */
export type DeviceRegistrationName = Pick<RegistrationTarget, 'idScope' | 'registrationId'>;

/** A request target of the device API, decoded. */
export type DeviceTarget = DeviceRegistrationName & { readonly apiVersion: string } & (
    | { readonly kind: 'register'; readonly forceRegistration: boolean }
    | { readonly kind: 'operation-status'; readonly operationId: string }
    | { readonly kind: 'status-lookup' }
  );

/** The method each kind of request uses. */
export const deviceMethods: {
  readonly register: 'PUT';
  readonly 'operation-status': 'GET';
  readonly 'status-lookup': 'POST';
} = Object.freeze({ register: 'PUT', 'operation-status': 'GET', 'status-lookup': 'POST' });

/** Target of `PUT …/register`. Throws `ERR_INVALID_ARGUMENT` for an unusable part. */
export function encodeRegisterTarget(
  request: DeviceRegistrationName & {
    /** Default {@link defaultApiVersion}. */
    readonly apiVersion?: string | undefined;
    /** Default false. */
    readonly forceRegistration?: boolean | undefined;
  },
): string {
  const force = request.forceRegistration === true ? '&forceRegistration=true' : '';
  return `${registrationPath(request)}/register${versionQuery(request.apiVersion)}${force}`;
}

/** Target of `GET …/operations/{operationId}`. Throws `ERR_INVALID_ARGUMENT` for an unusable part. */
export function encodeOperationStatusTarget(
  request: DeviceRegistrationName & {
    readonly operationId: string;
    /** Default {@link defaultApiVersion}. */
    readonly apiVersion?: string | undefined;
  },
): string {
  const operationId = percentEncode(validateOperationId(request.operationId));
  return `${registrationPath(request)}/operations/${operationId}${versionQuery(request.apiVersion)}`;
}

/** Target of `POST …/registrations/{registrationId}`, which asks for the present state. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeStatusLookupTarget(
  request: DeviceRegistrationName & {
    /** Default {@link defaultApiVersion}. */
    readonly apiVersion?: string | undefined;
  },
): string {
  return `${registrationPath(request)}${versionQuery(request.apiVersion)}`;
}

/**
 * Decodes a request of the device API; undefined when the path belongs to none of its operations.
 *
 * Throws `ERR_REMOTE_UNEXPECTED` with the evidence path `method` for the wrong method, and
 * `ERR_REMOTE_MALFORMED` for a bad id, bad percent-encoding, or a missing or bad `api-version`.
 */
export function parseDeviceTarget(method: string, target: string): DeviceTarget | undefined {
  const parts = splitTarget(target);
  const [idScope = '', registrations, registrationId = '', action, operationId = ''] = parts.segments;
  const kind = kindOf(parts);
  if (kind === undefined || !isWord(registrations, 'registrations')) return undefined;
  if (method !== deviceMethods[kind]) {
    throw malformed(what, 'method', `must be ${deviceMethods[kind]} for ${action ?? 'a status lookup'}`, {
      code: 'ERR_REMOTE_UNEXPECTED',
      sample: method,
    });
  }
  check('idScope', findIdScopeProblem(idScope));
  check('registrationId', findRegistrationIdProblem(registrationId));
  const apiVersion = parseApiVersion(parts.query.get('api-version')).text;
  const common = { idScope, registrationId, apiVersion };
  switch (kind) {
    case 'register':
      return {
        kind,
        ...common,
        forceRegistration: isWord(parts.query.get('forceRegistration') ?? '', 'true'),
      };
    case 'operation-status':
      check('operationId', findOperationIdProblem(operationId));
      return { kind, ...common, operationId };
    case 'status-lookup':
      return { kind, ...common };
    default:
      return kind satisfies never;
  }
}

const what = 'request target';

function registrationPath({ idScope, registrationId }: DeviceRegistrationName): string {
  const id = percentEncode(validateRegistrationId(registrationId));
  return `/${percentEncode(validateIdScope(idScope))}/registrations/${id}`;
}

function versionQuery(apiVersion: string = defaultApiVersion): string {
  return `?api-version=${validateApiVersion(apiVersion)}`;
}

function kindOf({ segments }: TargetParts): DeviceTarget['kind'] | undefined {
  if (segments.length === 3) return 'status-lookup';
  if (segments.length === 4 && isWord(segments[3], 'register')) return 'register';
  return segments.length === 5 && isWord(segments[3], 'operations') ? 'operation-status' : undefined;
}

function check(path: string, problem: string | undefined): void {
  if (problem !== undefined) throw malformed(what, path, problem);
}
