/**
 * A TPM 2.0 for tests and demos: starts swtpm on an address of its own, from a fresh or a copied
 * state, waits until it answers, and cleans up whatever happens to the program that started it.
 *
 * @example
 * ```js
 * import { readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';
 *
 * const simulator = await startTpmSimulator({ provisioned: true, timeoutMs: 5_000 });
 * try {
 *   console.log(simulator.address, await readTpmSnapshot(simulator.address));
 * } finally {
 *   await simulator.stop();
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { SimulatorErrorCode } from './errors.ts';
export { SimulatorError } from './errors.ts';
export type { MssimBridge, MssimBridgeOptions } from './mssim-bridge.ts';
export { startMssimBridge } from './mssim-bridge.ts';
export type { TemplateOptions, TpmSimulatorOptions } from './options.ts';
export type { TpmSimulator } from './simulator.ts';
export type { CommandCarrier, SnapshotOptions, TpmSnapshot } from './snapshot.ts';
export { readTpmSnapshot } from './snapshot.ts';
export type { StateTemplate } from './state-template.ts';
export { prepareStateTemplate } from './state-template.ts';
export { startTpmSimulator } from './start-simulator.ts';
