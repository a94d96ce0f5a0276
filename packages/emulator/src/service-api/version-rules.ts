import { matchesEtag } from '@endorse/protocol';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';

/** 412: `If-Match` is for a version that is not there. */
export const staleVersion: ServiceFault = faults.preconditionFailed(
  'If-Match names another version than the present one',
);

/** Why a record must not be written: without `If-Match` it is only created, with one that matches or `*` only replaced. */
export function findWriteFault(
  existing: { readonly etag: string } | undefined,
  ifMatch: string | undefined,
): ServiceFault | undefined {
  if (existing === undefined) return ifMatch === undefined ? undefined : staleVersion;
  if (ifMatch === undefined) return faults.conflict('the enrollment exists; send If-Match to replace it');
  return matchesEtag(ifMatch, existing.etag) ? undefined : staleVersion;
}

/** Why a record must not be deleted: `If-Match`, if any, has to name its version. */
export function findDeleteFault(
  { etag }: { readonly etag: string },
  ifMatch: string | undefined,
): ServiceFault | undefined {
  return ifMatch === undefined || matchesEtag(ifMatch, etag) ? undefined : staleVersion;
}
