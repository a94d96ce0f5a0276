import type { JsonObject } from '@endorse/interface';
import type { HubOptions } from '../emulator-options.ts';
import type { FaultRule } from '../faults/fault-rule.ts';
import type { CaCertificate } from '../service-api/x509-enrollment.ts';

/** What an emulator begins with. What is there already, in a data directory, stays as it is. */
export interface EmulatorSeed {
  /** The linked hubs, unless the options name them. */
  readonly hubs?: readonly HubOptions[];
  readonly caCertificates?: readonly CaCertificate[];
  /** As in a `PUT` to the service API. */
  readonly enrollments?: readonly JsonObject[];
  /** As in a `PUT` to the service API. */
  readonly enrollmentGroups?: readonly JsonObject[];
  /** In force beside those of the options. */
  readonly faults?: readonly FaultRule[];
}
