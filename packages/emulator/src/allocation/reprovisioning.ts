/**
 * What becomes of a device that registers, given where it was: a function of the enrollment's policy, the present
 * assignment and the decision.
 *
 *     updateHubAssignment  migrateDeviceData   same place           other place
 *     false                –                   stays, twin as is    (is not asked: the device stays)
 *     true                 true                stays, twin as is    twin moves, old identity goes
 *     true                 false               twin starts anew     twin starts anew, old identity goes
 */
import type { RegistrationSubstatus } from '@endorse/interface';

/** An identity of a device: a hub and the id it has there. */
export interface HubIdentity {
  /** Host name, with port. */
  readonly hub: string;
  readonly deviceId: string;
}

/** How a device's registrations after the first are treated; both default to true. */
export interface ReprovisionPolicy {
  readonly updateHubAssignment: boolean;
  readonly migrateDeviceData: boolean;
}

/** What to do for a device, beside writing its credential to the hub. */
export interface AssignmentPlan {
  readonly substatus: RegistrationSubstatus;
  /** Its twin: left as it is, started with the initial one, or brought from where it was. */
  readonly twin: 'keep' | 'start' | 'move';
  /** The identity that is no longer needed. */
  readonly removed?: HubIdentity;
}

/** Where a device's last registration put it, on a hub that is still linked. */
export interface PresentAssignment extends HubIdentity {
  readonly substatus?: RegistrationSubstatus;
}

/** What is known when a device has been allocated. */
export interface AssignmentFacts {
  readonly policy: ReprovisionPolicy;
  /** Absent for a device that is nowhere. */
  readonly present?: PresentAssignment;
  /** Where it goes now. */
  readonly target: HubIdentity;
  /** True when the hub has had such a device before. */
  readonly isKnownToHub: boolean;
}

/** Decides what becomes of twin and identities. */
export function planAssignment({ policy, present, target, isKnownToHub }: AssignmentFacts): AssignmentPlan {
  if (present === undefined) {
    if (!isKnownToHub) return { substatus: 'initialAssignment', twin: 'start' };
    // The service took it for new, and the hub knew better.
    const twin = policy.migrateDeviceData ? 'keep' : 'start';
    return { substatus: 'reprovisionedToInitialAssignment', twin };
  }
  const { hub, deviceId, substatus = 'initialAssignment' } = present;
  if (hub === target.hub && deviceId === target.deviceId) {
    if (policy.migrateDeviceData || !policy.updateHubAssignment) return { substatus, twin: 'keep' };
    return { substatus: 'deviceDataReset', twin: 'start' };
  }
  const removed = { hub, deviceId };
  return policy.migrateDeviceData
    ? { substatus: 'deviceDataMigrated', twin: 'move', removed }
    : { substatus: 'deviceDataReset', twin: 'start', removed };
}
