/**
 * What an end-to-end attestation test needs, for anyone's test suite: a TPM simulator as a process or in a container,
 * an emulated provisioning service, and a device that registers with it. Everything is disposed of by `await using`.
 *
 * @example
 * ```js
 * import { provisionDevice, startEmulator, startTpmSimulator } from '@endorse/harness';
 *
 * const simulator = await startTpmSimulator({ timeoutMs: 20_000 });
 * const emulator = await startEmulator();
 * try {
 *   const device = await provisionDevice({ emulator, simulator, deadlineMs: 20_000 });
 *   console.log(`${device.result.deviceId} belongs to ${device.result.assignedHub}`);
 *   await device.close();
 * } finally {
 *   await emulator.stop();
 *   await simulator.stop();
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { Emulator, EmulatorOptions } from '@endorse/emulator';
export { startEmulator } from '@endorse/emulator';
export type { HarnessDevice, ProvisionDeviceOptions } from './provision-device.ts';
export { provisionDevice } from './provision-device.ts';
export type { SimulatorOptions, SimulatorProtocol, StartedTpmSimulator } from './tpm/simulator.ts';
export { startTpmSimulator } from './tpm/start-tpm-simulator.ts';
