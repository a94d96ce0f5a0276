import type { Clock } from '@endorse/interface';
import type { DeviceProof, EnrolledDevice } from './enrolled-device.ts';
import { findRunning } from './operation.ts';
import type { EmulatorStore, EnrollmentGroupRecord, EnrollmentRecord } from './store.ts';

/** What devices are authenticated with. */
export interface AuthenticationParts {
  readonly idScope: string;
  readonly store: EmulatorStore;
  readonly clock: Pick<Clock, 'now'>;
}

/** A device that proved itself, and the enrollment that allows it. */
export interface AuthenticatedDevice {
  readonly outcome: 'authenticated';
  readonly device: EnrolledDevice;
  readonly enrollment: EnrollmentRecord | EnrollmentGroupRecord;
  readonly proof: DeviceProof;
}

/** The device of a group under the name it came with at first. */
export function nameMember(
  { store }: AuthenticationParts,
  registrationId: string,
  { enrollmentGroupId }: EnrollmentGroupRecord,
): EnrolledDevice {
  const known =
    findRunning(store.deviceMemories.get(registrationId))?.device ?? store.registrations.get(registrationId);
  return { registrationId: known?.registrationId ?? registrationId, enrollmentGroupId };
}
