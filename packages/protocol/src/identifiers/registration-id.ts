import { createHash } from 'node:crypto';
import { InvalidArgumentError } from '@endorse/interface';
import { encodeBase32 } from './base32.ts';

/** Longest registration id, in characters. */
export const maxRegistrationIdLength = 128;

/** Longest device id of the hub, in characters. */
export const maxDeviceIdLength = 128;

/**
 * What is wrong with a registration id; undefined when nothing is.
 *
 * 1 to 128 ASCII letters, digits, `-`, `.`, `_` and `:`, of which the last is a
 * letter, a digit or `-`. Comparison is case-insensitive on the service.
 */
export function findRegistrationIdProblem(registrationId: unknown): string | undefined {
  if (typeof registrationId !== 'string') return 'must be a string';
  if (registrationId === '') return 'must not be empty';
  if (registrationId.length > maxRegistrationIdLength) {
    return `must have at most ${maxRegistrationIdLength} characters, has ${registrationId.length}`;
  }
  if (!/^[A-Za-z0-9\-._:]*$/.test(registrationId)) {
    return 'must consist of letters, digits and the characters - . _ :';
  }
  return /[A-Za-z0-9-]$/.test(registrationId) ? undefined : 'must end in a letter, a digit or -';
}

/** Returns a registration id unchanged. Throws `ERR_INVALID_ARGUMENT` with the rule it breaks. */
export function validateRegistrationId(registrationId: string, argument = 'registrationId'): string {
  const problem = findRegistrationIdProblem(registrationId);
  if (problem !== undefined) throw new InvalidArgumentError(argument, problem);
  return registrationId;
}

/**
 * Derives the registration id every official client derives from a TPM: SHA-256 over the
 * whole TPM2B_PUBLIC of the endorsement key, its two size bytes included, in lower-case
 * base32 without padding. Always 52 characters.
 *
 * Throws `ERR_INVALID_ARGUMENT` unless the size bytes match the length: hashing a bare
 * TPMT_PUBLIC gives another, wrong id without any other symptom.
 */
export function deriveRegistrationId(endorsementKey: Uint8Array): string {
  if (!(endorsementKey instanceof Uint8Array)) {
    throw new InvalidArgumentError('endorsementKey', 'must be a Uint8Array');
  }
  const declared = ((endorsementKey[0] ?? 0) << 8) | (endorsementKey[1] ?? 0);
  if (endorsementKey.byteLength < 4 || declared !== endorsementKey.byteLength - 2) {
    throw new InvalidArgumentError('endorsementKey', 'must be a TPM2B_PUBLIC with its two size bytes');
  }
  return encodeBase32(createHash('sha256').update(endorsementKey).digest());
}

/** What is wrong with an ID scope; undefined when nothing is. 1 to 64 ASCII letters, digits, `-` and `_`. */
export function findIdScopeProblem(idScope: unknown): string | undefined {
  if (typeof idScope !== 'string') return 'must be a string';
  return /^[A-Za-z0-9_-]{1,64}$/.test(idScope) ? undefined : 'must have 1 to 64 letters, digits, - and _';
}

/** Returns an ID scope unchanged. Throws `ERR_INVALID_ARGUMENT` with the rule it breaks. */
export function validateIdScope(idScope: string, argument = 'idScope'): string {
  const problem = findIdScopeProblem(idScope);
  if (problem !== undefined) throw new InvalidArgumentError(argument, problem);
  return idScope;
}

/**
 * What is wrong with a hub device id; undefined when nothing is.
 * 1 to 128 ASCII letters, digits and `- . % _ * ? ! ( ) , : = @ $ ' + #`; case-sensitive on the hub.
 */
export function findDeviceIdProblem(deviceId: unknown): string | undefined {
  if (typeof deviceId !== 'string') return 'must be a string';
  if (deviceId === '' || deviceId.length > maxDeviceIdLength) {
    return `must have 1 to ${maxDeviceIdLength} characters`;
  }
  // A path segment of dots alone is swallowed by URL normalisation, percent-encoded or not.
  if (/^\.{1,2}$/.test(deviceId)) return 'must not be . or ..';
  return /^[A-Za-z0-9\-.%_*?!(),:=@$'+#]*$/.test(deviceId)
    ? undefined
    : "must consist of letters, digits and the characters - . % _ * ? ! ( ) , : = @ $ ' + #";
}

/** Returns a device id unchanged. Throws `ERR_INVALID_ARGUMENT` with the rule it breaks. */
export function validateDeviceId(deviceId: string, argument = 'deviceId'): string {
  const problem = findDeviceIdProblem(deviceId);
  if (problem !== undefined) throw new InvalidArgumentError(argument, problem);
  return deviceId;
}
