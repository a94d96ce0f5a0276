import type { JsonObject } from '@endorse/interface';
import { InvalidArgumentError, RemoteProtocolError } from '@endorse/interface';
import type { HttpResponse } from '@endorse/protocol';
import { encodeQuery, headerNames } from '@endorse/protocol';
import type { Requester, RequestOptions } from './requests.ts';

/** Options of a query. */
export interface QueryOptions extends RequestOptions {
  /** Most rows in one page, 1 to 10,000; default: the service decides. */
  readonly pageSize?: number | undefined;
}

/** One page of a query. */
export interface QueryPage<Row> {
  readonly rows: readonly Row[];
  /** Where the next page begins, for {@link PagedQuery.pages}; absent on the last page. */
  readonly continuation?: string;
}

/** The answer to a query, fetched page by page as it is gone through. It may be gone through more than once. */
export interface PagedQuery<Row> extends AsyncIterable<Row> {
  /** Goes through the answer by pages, from the beginning or from where an earlier page said the next one begins. */
  pages(options?: { readonly continuation?: string | undefined }): AsyncIterable<QueryPage<Row>>;
}

/** What a query is about. */
export interface QuerySubject<Row> {
  /** What is being attempted, for messages. */
  readonly attempted: string;
  readonly target: string;
  readonly query: string;
  readonly decode: (body: Uint8Array) => readonly Row[];
}

/** Makes a query that sends nothing until it is gone through. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function createPagedQuery<Row>(
  send: Requester,
  subject: QuerySubject<Row>,
  options: QueryOptions,
): PagedQuery<Row> {
  const { pageSize } = options;
  if (pageSize !== undefined && !(Number.isInteger(pageSize) && pageSize >= 1 && pageSize <= 10_000)) {
    throw new InvalidArgumentError(
      'options.pageSize',
      'must be an integer from 1 to 10000',
      'ERR_OUT_OF_RANGE',
    );
  }
  const body = encodeQuery(subject.query);
  const size = pageSize === undefined ? {} : { [headerNames.maxItemCount]: String(pageSize) };

  async function* pages(
    start: { readonly continuation?: string | undefined } = {},
  ): AsyncGenerator<QueryPage<Row>> {
    let continuation = checkContinuation(start.continuation);
    do {
      const from = continuation === undefined ? {} : { [headerNames.continuation]: continuation };
      const { attempted, target } = subject;
      const call = { attempted, method: 'POST', target, headers: { ...size, ...from }, body } as const;
      const response = await send({ ...call, isRepeatable: true }, options);
      const next = readContinuation(response, continuation, attempted);
      const rows = subject.decode(response.body);
      yield next === undefined ? { rows } : { rows, continuation: next };
      continuation = next;
    } while (continuation !== undefined);
  }

  return {
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const { rows } of pages()) yield* rows;
    },
  };
}

/** A row of a query that selects fields: whatever was selected. */
export type QueryRow = JsonObject;

function checkContinuation(continuation: string | undefined): string | undefined {
  if (continuation === undefined || /^[\x21-\x7e][\x20-\x7e]{0,8191}$/.test(continuation))
    return continuation;
  throw new InvalidArgumentError('options.continuation', 'must be the continuation of an earlier page');
}

function readContinuation(
  { headers }: HttpResponse,
  previous: string | undefined,
  attempted: string,
): string | undefined {
  const next = headers[headerNames.continuation] || undefined;
  // Going on would ask for the same page for ever.
  if (next === undefined || next !== previous) return next;
  throw new RemoteProtocolError('ERR_REMOTE_UNEXPECTED', `${attempted}: the next page is the one before`, {
    evidence: { path: headerNames.continuation },
  });
}
