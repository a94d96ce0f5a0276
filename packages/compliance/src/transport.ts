import { describe } from 'vitest';
import { droppedConnectionTests } from './transport/dropped-connection-tests.ts';
import type { DroppingSetup, TransportSetup } from './transport/fixture.ts';
import { manifestTests } from './transport/manifest-tests.ts';
import { registrationTests } from './transport/registration-tests.ts';
import { traitTests } from './transport/trait-tests.ts';

export type {
  DeviceFixture,
  DroppingFixture,
  DroppingSetup,
  SessionRequest,
  TransportFixture,
  TransportSetup,
} from './transport/fixture.ts';
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

/**
 * Registers the tests of lost connections that any `Transport` of version `v1` has to pass: for every attestation of
 * the manifest, each request loses its connection before the peer has carried it out, and after.
 *
 * It has to reject with `ERR_TRANSPORT_LOST`, retryable and with a remedy, and registering again has to go through, on
 * the same session and on another. `setup` is called for every test and what it returns is disposed of at the end.
 */
export function runDroppedConnectionCompliance(name: string, setup: DroppingSetup): void {
  describe(`Transport v1 compliance, dropped connections: ${name}`, () => droppedConnectionTests(setup));
}
