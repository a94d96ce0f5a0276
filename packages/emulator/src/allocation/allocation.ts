import type { JsonObject, JsonValue } from '@endorse/interface';
import type { EnrollmentGroupRecord, EnrollmentRecord } from '../core/store.ts';
import { pickNearest } from './geo-latency.ts';
import { pickHashed } from './hashed.ts';
import type { LinkedHub } from './linked-hub.ts';
import { findLinkedHub } from './linked-hub.ts';

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
      /** `tags` and `properties.desired` for the device's twin, in the place of what it has there. */
      readonly initialTwin?: JsonObject;
    }
  | { readonly errorCode: number; readonly errorMessage: string };

/** Decides where a device goes, in the place of the service's allocation policies. */
export type Allocate = (request: AllocationRequest) => AllocationDecision;

/** The hubs that an enrollment may use: those it names, else all that take part in the policies. */
export function findCandidates<Hub extends LinkedHub>(
  { iotHubs = [] }: EnrollmentRecord | EnrollmentGroupRecord,
  hubs: readonly Hub[],
): readonly Hub[] {
  if (iotHubs.length === 0)
    return hubs.filter(({ applyAllocationPolicy }) => applyAllocationPolicy !== false);
  return [...new Set(iotHubs.flatMap((text) => findLinkedHub(hubs, text) ?? []))];
}

/** Decides by one of the policies that need to ask nobody. */
export function allocateByPolicy(
  policy: 'hashed' | 'geoLatency' | 'static',
  { registrationId, enrollment }: Pick<AllocationRequest, 'registrationId' | 'enrollment'>,
  hubs: readonly LinkedHub[],
): AllocationDecision {
  const hub = pick();
  return hub === undefined ? noHub : { iotHubHostName: hub.hostName };

  function pick(): LinkedHub | undefined {
    const candidates = findCandidates(enrollment, hubs);
    switch (policy) {
      case 'hashed':
        return pickHashed(registrationId, candidates);
      case 'geoLatency':
        return pickNearest(registrationId, candidates);
      case 'static': {
        const wanted = enrollment.iotHubHostName ?? enrollment.iotHubs?.[0];
        return wanted === undefined ? undefined : findLinkedHub(hubs, wanted);
      }
      default:
        return policy satisfies never;
    }
  }
}

/** Runs a foreign allocation and checks what comes back: it may throw or name a hub that is not linked. */
export function decideAllocation(allocate: Allocate, request: AllocationRequest): AllocationDecision {
  let decision: AllocationDecision;
  try {
    decision = allocate(request);
  } catch (error) {
    return customAllocationFailed(error instanceof Error ? error.message : String(error));
  }
  if ('errorCode' in decision) return decision;
  return request.linkedHubs.includes(decision.iotHubHostName) ? decision : noHub;
}

/** 400207: whoever was to decide did not. */
export function customAllocationFailed(reason: string): AllocationDecision {
  return { errorCode: 400_207, errorMessage: `Custom allocation failed: ${reason}` };
}

/** 400208: there is no hub the device could go to. */
export const noHub: AllocationDecision = Object.freeze({
  errorCode: 400_208,
  errorMessage: 'None of the IoT hubs of the enrollment is linked to this service.',
});
