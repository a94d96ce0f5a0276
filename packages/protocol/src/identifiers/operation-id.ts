import { createHash } from 'node:crypto';
import type { RandomSource } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { maxOperationIdLength } from '../limits.ts';

/** An operation id of the service's shape, taken apart: `5.316aac5bdc130deb.<guid>`. */
export interface OperationIdParts {
  /** Leading digit: 2, 4 or 5 in what was seen of the service. */
  readonly generation: number;
  /** 16 hex digits, the same for every operation of one registration. */
  readonly registrationTag: string;
  /** A GUID, new for each operation. */
  readonly guid: string;
}

/** Takes an operation id of the service's shape apart; undefined for any other. Clients must treat the id as opaque. */
export function parseOperationId(operationId: string): OperationIdParts | undefined {
  const match = /^(\d)\.([0-9a-f]{16})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(operationId);
  if (match === null) return undefined;
  return { generation: Number(match[1]), registrationTag: match[2] ?? '', guid: match[3] ?? '' };
}

/** Makes an operation id as the service does; its middle part depends on scope and registration id only. */
export function createOperationId(
  registration: { readonly idScope: string; readonly registrationId: string },
  random: RandomSource,
): string {
  const tag = createHash('sha256')
    .update(`${registration.idScope}/${registration.registrationId}`.toLowerCase())
    .digest('hex')
    .slice(0, 16);
  return `5.${tag}.${createGuid(random)}`;
}

/** Makes a random (version 4) GUID in lower case, for operation ids, tracking ids and request ids. */
export function createGuid(random: RandomSource): string {
  const bytes = Uint8Array.from(random.bytes(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * What is wrong with an operation id that is about to be put into a path; undefined when nothing is.
 * 1 to 256 printable ASCII characters without space, and not `.` or `..`.
 */
export function findOperationIdProblem(operationId: unknown): string | undefined {
  if (typeof operationId !== 'string') return 'must be a string';
  if (operationId === '') return 'must not be empty';
  if (operationId.length > maxOperationIdLength)
    return `must have at most ${maxOperationIdLength} characters`;
  // A path segment of dots alone is swallowed by URL normalisation, percent-encoded or not.
  if (/^\.{1,2}$/.test(operationId)) return 'must not be . or ..';
  return /^[\x21-\x7e]*$/.test(operationId) ? undefined : 'must consist of printable ASCII characters';
}

/** Returns an operation id unchanged. Throws `ERR_INVALID_ARGUMENT` with the rule it breaks. */
export function validateOperationId(operationId: string, argument = 'operationId'): string {
  const problem = findOperationIdProblem(operationId);
  if (problem !== undefined) throw new InvalidArgumentError(argument, problem);
  return operationId;
}
