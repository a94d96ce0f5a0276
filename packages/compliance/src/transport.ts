import { describe } from 'vitest';
import type { TransportSetup } from './transport/fixture.ts';
import { manifestTests } from './transport/manifest-tests.ts';
import { registrationTests } from './transport/registration-tests.ts';
import { traitTests } from './transport/trait-tests.ts';

export type { DeviceFixture, TransportFixture, TransportSetup } from './transport/fixture.ts';
export type { SilentHost } from './transport/silent-host.ts';
export { startSilentHost } from './transport/silent-host.ts';

/**
 * Registers the suite that any `Transport` of version `v1` has to pass.
 *
 * `setup` is called for every test; what it returns brings its own peer and is disposed of at the end. Nothing is
 * skipped: what the manifest leaves out is asserted to be refused.
 */
export function runTransportCompliance(name: string, setup: TransportSetup): void {
  describe(`Transport v1 compliance: ${name}`, () => {
    manifestTests(setup);
    registrationTests(setup);
    traitTests(setup);
  });
}
