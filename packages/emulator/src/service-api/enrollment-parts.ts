import type { AllocationPolicy } from '@endorse/protocol';
import type { AssignmentParts } from '../core/assignment.ts';
import type { CountLimits } from '../core/count-limits.ts';
import type { Strictness } from '../core/strictness.ts';
import type { AccessCheck } from './access-policies.ts';

/** What the service APIs of enrollments and of groups work with. */
export interface EnrollmentParts extends AssignmentParts {
  readonly checkAccess: AccessCheck;
  /** The policy of enrollments that name none. */
  readonly allocationPolicy: AllocationPolicy;
  readonly strictness: Strictness;
  readonly countLimits: CountLimits;
}
