import type { RandomSource } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { sasResourceCovers, serviceOwnerKeyName } from '@endorse/protocol';
import { findTokenProblem, readToken, splitHostResource } from '../core/token-check.ts';

/** What a shared access policy may allow. */
export type AccessRight =
  | 'ServiceConfig'
  | 'EnrollmentRead'
  | 'EnrollmentWrite'
  | 'RegistrationStatusRead'
  | 'RegistrationStatusWrite';

/** Every {@link AccessRight}. */
export const accessRights: readonly AccessRight[] = Object.freeze([
  'ServiceConfig',
  'EnrollmentRead',
  'EnrollmentWrite',
  'RegistrationStatusRead',
  'RegistrationStatusWrite',
]);

/** A shared access policy of the service API: a name, two keys of which either signs, and rights. */
export interface AccessPolicy {
  /** The `skn` of tokens. */
  readonly name: string;
  readonly primaryKey: Secret;
  readonly secondaryKey: Secret;
  readonly rights: readonly AccessRight[];
}

/** The policy every service instance is created with: all rights, two fresh keys. */
export function createOwnerPolicy(random: RandomSource): AccessPolicy {
  return {
    name: serviceOwnerKeyName,
    primaryKey: Secret.fromBytes(random.bytes(64)),
    secondaryKey: Secret.fromBytes(random.bytes(64)),
    rights: accessRights,
  };
}

/** What a request to the service API needs. */
export interface AccessRequest {
  /** The SAS token, as it came. */
  readonly token: string | undefined;
  readonly right: AccessRight;
  /** Decoded path without a leading slash, for example `enrollments/my-device`. */
  readonly path: string;
  /** The service's time, in milliseconds since 1970. */
  readonly now: number;
}

/** Decides who may do what. Returns why not, or undefined. */
export type AccessCheck = (request: AccessRequest) => string | undefined;

/** Makes the check for a set of policies and the host names (without ports) that tokens may be for. */
export function createAccessCheck(policies: readonly AccessPolicy[], hosts: readonly string[]): AccessCheck {
  const keyring = new Map(policies.map((policy) => [policy.name.toLowerCase(), revealKeys(policy)]));
  const ownHosts = new Set(hosts.map((host) => host.toLowerCase()));

  return ({ token: text, right, path, now }) => {
    const reading = readToken(text);
    if (!reading.ok) return reading.reason;
    const { token } = reading;
    const policy = keyring.get(token.keyName?.toLowerCase() ?? '');
    if (policy === undefined) return 'the token names no shared access policy of this service (skn)';
    const problem = findTokenProblem(token, { keys: policy.keys, now });
    if (problem !== undefined) return problem;
    const granted = splitHostResource(token.resource);
    if (!ownHosts.has(granted.host)) return `the token is for another host than ${[...ownHosts].join(', ')}`;
    // A token for the bare host covers everything, one for a path what lies below it.
    if (granted.path !== '' && !sasResourceCovers(granted.path, path))
      return 'the token is for another resource';
    return policy.rights.includes(right) ? undefined : `the policy ${token.keyName} lacks the right ${right}`;
  };
}

function revealKeys(policy: AccessPolicy): {
  readonly keys: readonly Uint8Array[];
  readonly rights: readonly AccessRight[];
} {
  return { keys: [policy.primaryKey.reveal(), policy.secondaryKey.reveal()], rights: policy.rights };
}
