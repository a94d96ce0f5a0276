/** What a run is going to do: made without a write, stored, looked at by a person, and then carried out as it is. */
import type { InventoryDevice } from '../inventory/inventory.ts';
import type { ProvisioningJob } from '../job/job.ts';
import type { ObservedProvisioning } from '../steps/write-back.ts';

/** The steps of one device, in the order they are made: doors late, what cuts the connection last. */
export const stepNames = [
  'sign-in',
  'read-key',
  'set-time',
  'enroll',
  'write-back',
  'enable',
  'reset',
  'configure',
  'verify',
  'rotate-password',
  'close-doors',
  'replace-certificate',
  'move-port',
] as const;

/** One of {@link stepNames}. */
export type StepName = (typeof stepNames)[number];

/** What a step is going to do. */
export type PlannedAction =
  | 'create'
  | 'update'
  | 'unchanged'
  | 'read'
  | 'skip'
  | 'conflict'
  | 'not-applicable';

/** One step of a plan. */
export interface PlannedStep {
  readonly step: StepName;
  readonly action: PlannedAction;
  /** Why, in one phrase. */
  readonly reason: string;
}

/** Why a device is not going to be provisioned. */
export interface PlanProblem {
  /** Stable code, for example `ERR_ENROLLMENT_CONFLICT`. */
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
}

/** What the plan saw of a device; apply refuses when it sees something else that is not the goal either. */
export interface Observation {
  /** SHA-256 of the certificate, 64 hex digits: compare it out of band. */
  readonly fingerprint: string;
  readonly serialNumber: string;
  readonly modelName: string;
  readonly family: string;
  /** True when the password is the one from the works. */
  readonly passwordNeverChanged: boolean;
  /** Base64 of the TPM2B_PUBLIC; absent when the gateway does not show it yet. */
  readonly endorsementKey?: string;
  readonly provisioning: ObservedProvisioning;
  /** Etag of the enrollment, or `absent`. */
  readonly enrollment: string;
  /** Etag of the registration, or `absent`. */
  readonly registration: string;
  /** Values of the settings that the job names, as text. */
  readonly settings: Readonly<Record<string, string>>;
}

/** One device of a plan. */
export interface PlannedDevice {
  /** Serial in lower case; devices in conflict have `#2`, `#3` behind it. */
  readonly key: string;
  readonly inventory: InventoryDevice;
  /** `skipped` for what the inventory says must not be provisioned, such as a switch that answers probes as well. */
  readonly verdict: 'ready' | 'skipped' | 'conflict' | 'blocked' | 'failed';
  readonly problem?: PlanProblem;
  readonly warnings: readonly string[];
  readonly registrationId?: string;
  readonly observed?: Observation;
  readonly steps: readonly PlannedStep[];
}

/** A plan. */
export interface ProvisioningPlan {
  readonly format: 'endorse-plan';
  readonly version: 1;
  /** When it was made, in milliseconds since 1970. */
  readonly createdAt: number;
  readonly job: ProvisioningJob;
  /** Sorted by key. */
  readonly devices: readonly PlannedDevice[];
  /** SHA-256 of everything else, 64 hex digits. */
  readonly digest: string;
}
