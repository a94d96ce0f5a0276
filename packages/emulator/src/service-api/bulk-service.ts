import { isEndorseError } from '@endorse/interface';
import type { BulkError, BulkItem, BulkMode, BulkOperation, BulkResult } from '@endorse/protocol';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';
import { isFault } from '../core/refusal.ts';
import type { ServiceResponse } from './enrollment-service.ts';

/** What a bulk operation is made of: the operations on one record. */
export interface BulkTarget<Item> {
  write(item: Item, ifMatch: string | undefined): ServiceResponse;
  remove(id: string, ifMatch: string | undefined): ServiceResponse;
}

/** Does one thing to every item, each of which succeeds or fails by itself. `etagOf` knows the records there are. */
export function runBulk<Item>(
  { mode, items }: BulkOperation<Item>,
  target: BulkTarget<Item>,
  etagOf: (id: string) => string | undefined,
  notFound: (id: string) => ServiceFault,
): BulkResult {
  const errors: BulkError[] = [];
  for (const item of items) {
    const fault = runItem(mode, item, target, etagOf, notFound);
    if (fault === undefined) continue;
    const { errorCode, message, reason } = fault;
    const errorStatus = reason === undefined ? message : `${message} (${reason})`;
    errors.push({ id: item.id, errorCode, errorStatus });
  }
  return { isSuccessful: errors.length === 0, errors };
}

function runItem<Item>(
  mode: BulkMode,
  item: BulkItem<Item>,
  target: BulkTarget<Item>,
  etagOf: (id: string) => string | undefined,
  notFound: (id: string) => ServiceFault,
): ServiceFault | undefined {
  if (mode === 'delete') return faultOf(target.remove(item.id, undefined));
  let value: Item;
  try {
    value = item.read();
  } catch (error) {
    if (!isEndorseError(error) || error.fault !== 'peer') throw error;
    return faults.invalidArgument('The item is invalid.', error.message);
  }
  switch (mode) {
    case 'create':
      return faultOf(target.write(value, undefined));
    case 'update':
      return etagOf(item.id) === undefined ? notFound(item.id) : faultOf(target.write(value, '*'));
    case 'updateIfMatchETag':
      if (item.etag === undefined) return faults.preconditionFailed('the item has no etag');
      return faultOf(target.write(value, item.etag));
    default:
      return mode satisfies never;
  }
}

function faultOf(response: ServiceResponse): ServiceFault | undefined {
  return isFault(response) ? response.fault : undefined;
}
