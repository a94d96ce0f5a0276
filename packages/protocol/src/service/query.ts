/**
 * Queries: `{"query": "SELECT …"}` in, a bare JSON array out; where the next page begins is in a header.
 */
import type { JsonObject, RegistrationState } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { readRegistrationState } from '../bodies/registration-state.ts';
import { JsonObjectReader } from '../json/json-object-reader.ts';
import { formatJson, parseJsonText, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { describeValue, malformed } from '../json/malformed.ts';
import { maxPageBytes, maxRequestBytes } from '../limits.ts';
import { readEnrollmentGroup, type EnrollmentGroup } from './enrollment-group.ts';
import { readIndividualEnrollment, type IndividualEnrollment } from './individual-enrollment.ts';

/** What the rows of a page are, in the header `x-ms-item-type`, which some clients insist on. */
export type QueryItemType = 'Enrollment' | 'EnrollmentGroup' | 'DeviceRegistration' | 'Unknown';

/** Longest query, in characters. */
export const maxQueryLength = 8192;

/** Writes the body of a query. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function encodeQuery(query: string): string {
  if (typeof query !== 'string' || query.trim() === '') {
    throw new InvalidArgumentError('query', 'must be a query, such as SELECT * FROM enrollments');
  }
  if (query.length > maxQueryLength) {
    throw new InvalidArgumentError(
      'query',
      `must have at most ${maxQueryLength} characters`,
      'ERR_OUT_OF_RANGE',
    );
  }
  return formatJson('query', { query });
}

/**
 * Reads the body of a query; undefined when it is empty or names none, as the schema has it for the registrations of a
 * group. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`.
 */
export function decodeQuery(input: JsonInput, options: JsonDecodeOptions = {}): string | undefined {
  if (input.length === 0) return undefined;
  const reader = JsonObjectReader.parse('query', input, options.maxBytes ?? maxRequestBytes);
  const query = reader.optionalString('query', maxQueryLength);
  return query === undefined || query.trim() === '' ? undefined : query;
}

/** Writes one page. Throws `ERR_LOCAL_UNENCODABLE` above {@link maxPageBytes}. */
export function encodePage(rows: readonly object[]): string {
  return formatJson('page', rows, maxPageBytes);
}

/** Reads a page of rows as they are, for a query that selects fields. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE` (default limit 16 MiB). */
export function decodeRowPage(input: JsonInput, options: JsonDecodeOptions = {}): readonly JsonObject[] {
  const rows = parseJsonText('page', input, options.maxBytes ?? maxPageBytes);
  if (!Array.isArray(rows)) throw malformed('page', '$', `must be an array, found ${describeValue(rows)}`);
  return rows.map((row, index) => {
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as JsonObject;
    throw malformed('page', `$[${index}]`, `must be an object, found ${describeValue(row)}`);
  });
}

/** Reads a page of enrollments. Throws as {@link decodeRowPage}. */
export function decodeEnrollmentPage(
  input: JsonInput,
  options: JsonDecodeOptions = {},
): readonly IndividualEnrollment[] {
  return decodePage(input, options, readIndividualEnrollment);
}

/** Reads a page of groups. Throws as {@link decodeRowPage}. */
export function decodeEnrollmentGroupPage(
  input: JsonInput,
  options: JsonDecodeOptions = {},
): readonly EnrollmentGroup[] {
  return decodePage(input, options, readEnrollmentGroup);
}

/** Reads a page of registration states. Throws as {@link decodeRowPage}, or `ERR_REMOTE_UNEXPECTED` for an unknown status. */
export function decodeRegistrationPage(
  input: JsonInput,
  options: JsonDecodeOptions = {},
): readonly RegistrationState[] {
  return decodePage(input, options, readRegistrationState);
}

function decodePage<Row>(
  input: JsonInput,
  options: JsonDecodeOptions,
  read: (reader: JsonObjectReader) => Row,
): readonly Row[] {
  return decodeRowPage(input, options).map((row, index) =>
    read(new JsonObjectReader('page', row, `$[${index}]`)),
  );
}
