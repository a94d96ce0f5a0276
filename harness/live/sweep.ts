import { readLiveId } from '../support/service/live-ids.ts';
import type { ServiceAddress } from '../support/service/service-under-test.ts';
import { connectService } from '../support/service/service-under-test.ts';

/**
 * Removes the enrollments of earlier live runs that did not come to their end; resolves to how many there were. Only ids
 * that live runs make are touched, and only those made before `madeBefore`, in milliseconds since 1970.
 */
export async function sweepLeftovers(address: ServiceAddress, madeBefore: number): Promise<number> {
  await using service = connectService(address);
  const leftovers: string[] = [];
  for await (const { registrationId } of service.client.enrollments.query()) {
    const madeAt = readLiveId(registrationId);
    if (madeAt !== undefined && madeAt < madeBefore) leftovers.push(registrationId);
  }
  for (const registrationId of leftovers) await service.unenroll(registrationId);
  return leftovers.length;
}
