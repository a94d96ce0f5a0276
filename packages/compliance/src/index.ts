/**
 * Compliance suites for vitest: any `Transport` or `SecurityClient` can prove that it keeps the contracts of Endorse.
 * Each suite is a function of a display name and a set-up that returns a fresh fixture with a peer of its own.
 *
 * @example
 * ```js
 * import { createHmac } from 'node:crypto';
 * import { runSecurityClientCompliance } from '@endorse/compliance/security-client';
 *
 * // In a test file. Every wait of the suite has a limit; vitest's testTimeout bounds each test.
 * export function testMyClient(createMyClient) {
 *   const key = new Uint8Array(32).fill(1);
 *   const sign = (data) => createHmac('sha256', key).update(data).digest();
 *   runSecurityClientCompliance('my client', async () => ({
 *     kind: 'symmetric-key',
 *     registrationId: 'device-1',
 *     key,
 *     securityClient: createMyClient('device-1', sign),
 *     [Symbol.asyncDispose]: async () => undefined,
 *   }));
 * }
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
export type {
  DeviceFixture,
  DroppingFixture,
  DroppingSetup,
  SessionRequest,
  SilentHost,
  TransportFixture,
  TransportSetup,
} from './transport.ts';
export { runDroppedConnectionCompliance, runTransportCompliance, startSilentHost } from './transport.ts';
