/**
 * Compliance suites for vitest: any `Transport` or `SecurityClient` can prove that it keeps the contracts of Endorse.
 * Each suite is a function of a display name and a set-up that returns a fresh fixture with a peer of its own.
 *
 * @example
 * ```js
 * // test/compliance.test.js of a package with a security client
 * import { runSecurityClientCompliance } from '@endorse/compliance/security-client';
 * import { createMyClient, key } from '../src/my-client.js';
 *
 * runSecurityClientCompliance('my client', async () => ({
 *   kind: 'symmetric-key',
 *   registrationId: 'device-1',
 *   key,
 *   // Every wait in the suite has a limit; the test runner's own (5 s in vitest) bounds each test.
 *   securityClient: createMyClient('device-1', key),
 *   [Symbol.asyncDispose]: async () => undefined,
 * }));
 * ```
 *
 * @packageDocumentation
 */
export type {
  ActivationRequest,
  MakeActivationBlob,
  SecurityClientFixture,
  SecurityClientSetup,
} from './security-client.ts';
export { runSecurityClientCompliance } from './security-client.ts';
export type { DeviceFixture, SilentHost, TransportFixture, TransportSetup } from './transport.ts';
export { runTransportCompliance, startSilentHost } from './transport.ts';
