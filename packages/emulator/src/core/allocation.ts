import type { JsonValue } from '@endorse/interface';
import type { EnrollmentGroupRecord, EnrollmentRecord } from './store.ts';

/** What an allocation is decided on. */
export interface AllocationRequest {
  readonly registrationId: string;
  /** The enrollment of the device, or the group it belongs to. */
  readonly enrollment: EnrollmentRecord | EnrollmentGroupRecord;
  /** The `payload` of the device's register request. */
  readonly payload?: JsonValue;
  /** Host names, with ports, of the hubs linked to the service. */
  readonly linkedHubs: readonly string[];
}

/** Where a device goes, and what it is told beside that; or why it goes nowhere. */
export type AllocationDecision =
  | {
      /** One of the linked hubs. */
      readonly iotHubHostName: string;
      /** Given to the device as `registrationState.payload`. */
      readonly payload?: JsonValue;
    }
  | { readonly errorCode: number; readonly errorMessage: string };

/** Decides where a device goes, in the place of the service's allocation policies. */
export type Allocate = (request: AllocationRequest) => AllocationDecision;

/** Picks the first linked hub that the enrollment allows. */
export const allocateFirstHub: Allocate = ({ enrollment, linkedHubs }) => {
  const { iotHubs = [], iotHubHostName } = enrollment;
  const wanted = [...(iotHubHostName === undefined ? [] : [iotHubHostName]), ...iotHubs];
  const hub = linkedHubs.find((linked) => wanted.length === 0 || wanted.includes(linked));
  return hub === undefined ? noHub : { iotHubHostName: hub };
};

/** Runs an allocation and checks what comes back: a foreign function may throw or name a hub that is not linked. */
export function decideAllocation(allocate: Allocate, request: AllocationRequest): AllocationDecision {
  let decision: AllocationDecision;
  try {
    decision = allocate(request);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { errorCode: 400_207, errorMessage: `Custom allocation failed: ${reason}` };
  }
  if ('errorCode' in decision) return decision;
  return request.linkedHubs.includes(decision.iotHubHostName) ? decision : noHub;
}

const noHub: AllocationDecision = Object.freeze({
  errorCode: 400_208,
  errorMessage: 'None of the IoT hubs of the enrollment is linked to this service.',
});
