/**
 * Queries, page by page. A page ends when it has as many rows as were asked for, when it is large enough, or when
 * enough records were looked at, so that no query keeps everybody else waiting; it may then be empty and still have a
 * continuation. The continuation names the last record looked at, so that nothing is lost or doubled when records come
 * and go between pages.
 */
import { createHash } from 'node:crypto';
import type { QueryItemType } from '@endorse/protocol';
import { faults } from '../core/fault.ts';
import { refuse } from '../core/refusal.ts';
import type { Row } from '../query/evaluate.ts';
import { isMatch, project } from '../query/evaluate.ts';
import type { Query } from '../query/parser.ts';
import { parseQuery } from '../query/parser.ts';
import { findPinnedKeys } from '../query/pinned-keys.ts';
import { QueryError } from '../query/query-error.ts';
import type { ServiceResponse } from './enrollment-service.ts';
import type { ListedRow, QuerySource } from './query-sources.ts';

/** One page of rows. */
export interface QueryPage {
  readonly rows: readonly Row[];
  readonly itemType: QueryItemType;
  /** Most rows the page could have had. */
  readonly maxItemCount: number;
  /** Where the next page begins; absent on the last. */
  readonly continuation?: string;
}

/** A query as a carrier read it. */
export interface QueryRequest {
  readonly text: string;
  readonly maxItemCount: string | undefined;
  readonly continuation: string | undefined;
}

/** Answers with one page, or with 400 for a query, page size or continuation that is unusable. */
export function readPage(source: QuerySource, request: QueryRequest): ServiceResponse {
  const maxItemCount = readCount(request.maxItemCount);
  if (maxItemCount === undefined) {
    return refuse(
      faults.invalidArgument('The maximum item count is invalid.', 'it must be a positive integer'),
    );
  }
  const mark = markOf(source.name, request.text);
  const after = request.continuation === undefined ? 0 : readContinuation(request.continuation, mark);
  if (after === undefined) {
    return refuse(
      faults.invalidArgument('The continuation token is invalid.', 'it is not one of this query'),
    );
  }
  let query: Query;
  try {
    query = parseQuery(request.text, source.name);
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return refuse(faults.invalidArgument(`The query is invalid: ${error.message}.`));
  }
  const itemType = query.fields === undefined ? source.itemType : 'Unknown';
  return {
    outcome: 'page',
    itemType,
    maxItemCount,
    ...collect(source, query, { after, maxItemCount, mark }),
  };
}

function collect(
  source: QuerySource,
  query: Query,
  {
    after,
    maxItemCount,
    mark,
  }: { readonly after: number; readonly maxItemCount: number; readonly mark: string },
): Pick<QueryPage, 'rows' | 'continuation'> {
  const rows: Row[] = [];
  let last = after;
  let looked = 0;
  let pageBytes = 0;
  for (const { position, toRow } of candidates(source, query, after)) {
    const isFull = rows.length >= maxItemCount || pageBytes >= fullPageBytes || looked >= maxLooked;
    if (isFull) return { rows, continuation: writeContinuation(last, mark) };
    last = position;
    looked += 1;
    const row = toRow();
    if (!isMatch(query, row)) continue;
    const selected = project(query, row);
    rows.push(selected);
    pageBytes += Buffer.byteLength(JSON.stringify(selected));
  }
  return { rows };
}

/** Looks up what the condition pins; goes through the rest of the collection only where it pins nothing. */
function candidates(
  { rows, findRow, keyField }: QuerySource,
  query: Query,
  after: number,
): Iterable<ListedRow> {
  const keys = findPinnedKeys(query.condition, keyField);
  if (keys === undefined) return rows(after);
  // Two spellings of a key are one record.
  const found = new Map<number, ListedRow>();
  for (const key of keys) {
    const row = findRow(key);
    if (row !== undefined && row.position > after) found.set(row.position, row);
  }
  return Array.from(found.values()).toSorted((left, right) => left.position - right.position);
}

/** More than the maximum is cut down to it, as services of the family do. */
function readCount(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return defaultItemCount;
  return /^[1-9]\d{0,8}$/.test(text.trim()) ? Math.min(Number(text), maxItems) : undefined;
}

/** Ties a continuation to its query: used with another one it would skip rows nobody has seen. */
function markOf(collection: string, text: string): string {
  return createHash('sha256').update(`${collection}\n${text}`).digest('hex').slice(0, 12);
}

function writeContinuation(position: number, mark: string): string {
  return Buffer.from(`${position}:${mark}`).toString('base64url');
}

function readContinuation(text: string, mark: string): number | undefined {
  const [, position, ownMark] =
    /^(\d{1,15}):([0-9a-f]{12})$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  return ownMark === mark ? Number(position) : undefined;
}

const defaultItemCount = 100;
const maxItems = 1000;

/** A page this large is sent, whatever was asked for. */
const fullPageBytes = 1_048_576;

/** So many records take a few tens of milliseconds. */
const maxLooked = 10_000;
