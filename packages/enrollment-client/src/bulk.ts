import type { EndorseErrorOptions, ErrorFault } from '@endorse/interface';
import { EndorseError, InvalidArgumentError, isEndorseError } from '@endorse/interface';
import type { BulkError, BulkMode, BulkResult } from '@endorse/protocol';
import { bulkModes, maxBulkItems, maxRequestBytes } from '@endorse/protocol';

/**
 * A bulk operation of several requests stopped after at least one of them: `ERR_BULK_INTERRUPTED`. The error of the
 * request that failed is the `cause`, and decides `fault` and `retryable`.
 */
export class BulkInterruptedError extends EndorseError {
  readonly code = 'ERR_BULK_INTERRUPTED';
  readonly fault: ErrorFault;
  readonly retryable: boolean;
  /** What came of the items of the requests before. */
  readonly completed: BulkResult;
  /** Ids of the items of which nothing is known: those of the request that failed, and all later ones. */
  readonly remaining: readonly string[];

  constructor(
    message: string,
    state: { readonly completed: BulkResult; readonly remaining: readonly string[] },
    options: EndorseErrorOptions = {},
  ) {
    super(message, options);
    const { cause } = options;
    this.fault = isEndorseError(cause) ? cause.fault : 'local';
    this.retryable = isEndorseError(cause) && cause.retryable;
    this.completed = state.completed;
    this.remaining = state.remaining;
  }
}

/** One item of a bulk operation as the splitter sees it. */
export interface SizedItem {
  readonly id: string;
  /** Bytes of its JSON. */
  readonly byteLength: number;
}

/** Throws `ERR_INVALID_ARGUMENT` for a mode that is none, for no items, and for two items with one id. */
export function checkBulkArguments(mode: BulkMode, ids: readonly string[]): void {
  if (!bulkModes.includes(mode)) {
    throw new InvalidArgumentError('mode', `must be one of ${bulkModes.join(', ')}`);
  }
  if (ids.length === 0) throw new InvalidArgumentError('items', 'must not be empty');
  const seen = new Set<string>();
  for (const id of ids) {
    // The service compares ids without regard to case.
    const key = id.toLowerCase();
    if (seen.has(key)) throw new InvalidArgumentError('items', `holds ${id} twice`);
    seen.add(key);
  }
}

/** Splits items into requests of at most ten items and 96 KiB, in order. */
export function splitBulk<Item extends SizedItem>(items: readonly Item[]): readonly (readonly Item[])[] {
  const requests: Item[][] = [];
  let byteLength = 0;
  for (const item of items) {
    const last = requests.at(-1);
    if (last !== undefined && last.length < maxBulkItems && byteLength + item.byteLength + 1 <= roomBytes) {
      last.push(item);
      byteLength += item.byteLength + 1;
    } else {
      requests.push([item]);
      byteLength = item.byteLength;
    }
  }
  return requests;
}

/** Sends the requests one after another and adds their results up. Throws {@link BulkInterruptedError}, or the error of the first request. */
export async function runBulk<Item extends SizedItem>(
  requests: readonly (readonly Item[])[],
  send: (items: readonly Item[]) => Promise<BulkResult>,
): Promise<BulkResult> {
  const errors: BulkError[] = [];
  for (const [index, items] of requests.entries()) {
    try {
      const result = await send(items);
      errors.push(...result.errors);
    } catch (cause) {
      // An abort is the caller's own, and before anything was done there is nothing to tell.
      if (index === 0 || !isEndorseError(cause)) throw cause;
      const remaining = requests.slice(index).flatMap((request) => request.map(({ id }) => id));
      throw new BulkInterruptedError(
        `a bulk operation stopped at request ${index + 1} of ${requests.length}: ${cause.message}`,
        { completed: toResult(errors), remaining },
        { cause, remedy: 'Repeat the operation for the ids in `remaining`.' },
      );
    }
  }
  return toResult(errors);
}

function toResult(errors: readonly BulkError[]): BulkResult {
  return { isSuccessful: errors.length === 0, errors: [...errors] };
}

/** Room for items beside the mode and the brackets around them. */
const roomBytes = maxRequestBytes - 256;
