/**
 * Bulk operations: up to ten enrollments, or ten groups, in one request, each of which succeeds or fails by itself.
 */
import { InvalidArgumentError } from '@endorse/interface';
import { definedFields, JsonObjectReader } from '../json/json-object-reader.ts';
import { formatJson, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { maxRequestBytes, maxResponseBytes } from '../limits.ts';
import { enrollmentGroupToJson, readEnrollmentGroup, type EnrollmentGroup } from './enrollment-group.ts';
import {
  individualEnrollmentToJson,
  readIndividualEnrollment,
  type IndividualEnrollment,
} from './individual-enrollment.ts';

/** What a bulk operation does with its items. */
export type BulkMode = 'create' | 'update' | 'updateIfMatchETag' | 'delete';

/** Every mode of a bulk operation. */
export const bulkModes: readonly BulkMode[] = Object.freeze([
  'create',
  'update',
  'updateIfMatchETag',
  'delete',
]);

/** Most items in one bulk operation. */
export const maxBulkItems = 10;

/** One item of a bulk operation that arrived. */
export interface BulkItem<Item> {
  /** Registration id or enrollment group id; empty when the item has none. */
  readonly id: string;
  /** The item's etag, which `updateIfMatchETag` compares. */
  readonly etag?: string;
  /** Reads the whole item. Throws `ERR_REMOTE_MALFORMED`: an item that cannot be read fails by itself. */
  readonly read: () => Item;
}

/** A bulk operation that arrived. */
export interface BulkOperation<Item> {
  readonly mode: BulkMode;
  /** 1 to {@link maxBulkItems}. */
  readonly items: readonly BulkItem<Item>[];
}

/** Why one item of a bulk operation failed. */
export interface BulkError {
  /** Registration id or enrollment group id. */
  readonly id: string;
  /** The service's number, for example 409000. */
  readonly errorCode: number;
  /** The service's text. */
  readonly errorStatus: string;
}

/** The outcome of a bulk operation. */
export interface BulkResult {
  /** True when no item failed. */
  readonly isSuccessful: boolean;
  /** The items that failed; the others succeeded. */
  readonly errors: readonly BulkError[];
}

/** What the items of a bulk operation are. */
export type BulkKind = 'enrollments' | 'enrollmentGroups';

/** Writes a bulk operation on enrollments. Throws `ERR_INVALID_ARGUMENT`, `ERR_OUT_OF_RANGE`, or `ERR_LOCAL_UNENCODABLE` above 96 KiB. */
export function encodeEnrollmentBulkOperation(
  mode: BulkMode,
  enrollments: readonly IndividualEnrollment[],
): string {
  checkBulk(mode, enrollments);
  return formatJson('bulk operation', { mode, enrollments: enrollments.map(individualEnrollmentToJson) });
}

/** Writes a bulk operation on groups. Throws as {@link encodeEnrollmentBulkOperation}. */
export function encodeGroupBulkOperation(mode: BulkMode, groups: readonly EnrollmentGroup[]): string {
  checkBulk(mode, groups);
  return formatJson('bulk operation', { mode, enrollmentGroups: groups.map(enrollmentGroupToJson) });
}

/** Reads a bulk operation on enrollments. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE` (default limit 96 KiB). */
export function decodeEnrollmentBulkOperation(
  input: JsonInput,
  options: JsonDecodeOptions = {},
): BulkOperation<IndividualEnrollment> {
  return decodeBulk(input, options, 'enrollments', 'registrationId', readIndividualEnrollment);
}

/** Reads a bulk operation on groups. Throws as {@link decodeEnrollmentBulkOperation}. */
export function decodeGroupBulkOperation(
  input: JsonInput,
  options: JsonDecodeOptions = {},
): BulkOperation<EnrollmentGroup> {
  return decodeBulk(input, options, 'enrollmentGroups', 'enrollmentGroupId', readEnrollmentGroup);
}

/** Writes the answer to a bulk operation. Throws `ERR_LOCAL_UNENCODABLE`. */
export function encodeBulkResult(kind: BulkKind, { isSuccessful, errors }: BulkResult): string {
  const name = idNames[kind];
  const items = errors.map(({ id, ...error }) => ({ [name]: id, ...error }));
  return formatJson('bulk result', { isSuccessful, errors: items }, maxResponseBytes);
}

/** Reads the answer to a bulk operation. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE` (default limit 1 MiB). */
export function decodeBulkResult(
  kind: BulkKind,
  input: JsonInput,
  options: JsonDecodeOptions = {},
): BulkResult {
  const reader = JsonObjectReader.parse('bulk result', input, options.maxBytes ?? maxResponseBytes);
  const errors = reader.optionalReaders('errors', maxBulkItems) ?? [];
  return {
    isSuccessful: reader.optionalBoolean('isSuccessful') ?? errors.length === 0,
    errors: errors.map((error) => ({
      id: error.optionalString(idNames[kind], 1024) ?? '',
      errorCode: error.optionalInteger('errorCode') ?? 0,
      errorStatus: error.optionalString('errorStatus', 65_536) ?? '',
    })),
  };
}

const idNames: Readonly<Record<BulkKind, string>> = {
  enrollments: 'registrationId',
  enrollmentGroups: 'enrollmentGroupId',
};

function checkBulk(mode: BulkMode, items: readonly unknown[]): void {
  if (!bulkModes.includes(mode)) {
    throw new InvalidArgumentError('mode', `must be one of ${bulkModes.join(', ')}`);
  }
  if (items.length >= 1 && items.length <= maxBulkItems) return;
  throw new InvalidArgumentError('items', `must be 1 to ${maxBulkItems}`, 'ERR_OUT_OF_RANGE');
}

function decodeBulk<Item>(
  input: JsonInput,
  { maxBytes = maxRequestBytes }: JsonDecodeOptions,
  kind: BulkKind,
  idName: string,
  readItem: (reader: JsonObjectReader) => Item,
): BulkOperation<Item> {
  const reader = JsonObjectReader.parse('bulk operation', input, maxBytes);
  const text = reader.requiredString('mode', 32);
  // The official Node client's own type calls it updateIfMatchEtag.
  const mode = bulkModes.find((word) => word.toLowerCase() === text.toLowerCase());
  if (mode === undefined) throw reader.problem('mode', `must be one of ${bulkModes.join(', ')}`, text);
  const readers = reader.optionalReaders(kind, maxBulkItems) ?? [];
  if (readers.length === 0) throw reader.problem(kind, 'is missing or empty');
  return { mode, items: readers.map((item) => toItem(item, idName, readItem)) };
}

function toItem<Item>(
  reader: JsonObjectReader,
  idName: string,
  readItem: (reader: JsonObjectReader) => Item,
): BulkItem<Item> {
  return definedFields({
    id: reader.optionalString(idName, 1024) ?? '',
    etag: reader.optionalString('etag', 256),
    read: () => readItem(reader),
  });
}
