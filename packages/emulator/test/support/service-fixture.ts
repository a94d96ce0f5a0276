import type {
  EmulatorCore,
  EmulatorCoreOptions,
  ServiceRequest,
  ServiceResponse,
} from '@endorse/emulator/core';
import type { IndividualEnrollment } from '@endorse/protocol';
import type { VirtualClock } from '@endorse/interface/virtual-clock';
import { coreFixture } from './core-fixture.ts';
import { sas, softwareTpm } from './software-tpm.ts';

/** The service API of a core, called with tokens that can be bent. */
export interface ServiceFixture {
  readonly core: EmulatorCore;
  readonly clock: VirtualClock;
  readonly call: (request: Partial<ServiceRequest>, token?: TokenChange) => Promise<ServiceResponse>;
}

/** What a test changes about an otherwise good token. */
export interface TokenChange {
  readonly resource?: string;
  readonly keyName?: string;
  readonly key?: Uint8Array;
  readonly lifetimeMs?: number;
  readonly encoding?: 'percent' | 'raw';
}

export function serviceFixture(options: Partial<EmulatorCoreOptions> = {}): ServiceFixture {
  const { core, clock } = coreFixture(options);
  return {
    core,
    clock,
    call: async (request, change = {}) => {
      const [policy] = core.policies;
      const { lifetimeMs = 60_000, ...rest } = change;
      const token = await sas({
        resource: 'localhost:5000',
        key: policy.primaryKey.reveal(),
        keyName: policy.name,
        expiresAt: clock.now() + lifetimeMs,
        ...rest,
      });
      return core.enrollments.handle({
        kind: 'get-enrollment',
        registrationId: 'device-1',
        token,
        ...request,
      });
    },
  };
}

/** An enrollment as a client writes it. */
export function enrollment(change: Partial<IndividualEnrollment> = {}): IndividualEnrollment {
  const { endorsementKey } = softwareTpm();
  return { registrationId: 'device-2', attestation: { type: 'tpm', endorsementKey }, ...change };
}
