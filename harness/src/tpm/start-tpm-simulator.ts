import { planSimulator } from './simulator.ts';
import type { SimulatorOptions, StartedTpmSimulator } from './simulator.ts';

/**
 * Starts a TPM of its own and waits until it answers: swtpm as a process, or an image in a container.
 *
 * Containers need the package `testcontainers` beside this one and an engine that answers. Rejects with
 * `ERR_SIMULATOR_MISSING` when swtpm or testcontainers is not installed, `ERR_SIMULATOR_START` when the
 * engine or the image does not work, `ERR_TIMEOUT` when the TPM does not answer in time,
 * `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for unusable options.
 */
export async function startTpmSimulator(options: SimulatorOptions = {}): Promise<StartedTpmSimulator> {
  const plan = planSimulator(options, process.env);
  plan.signal?.throwIfAborted();
  // Loaded on demand: who has no containers needs no testcontainers.
  if (plan.runtime === 'container') {
    const { startContainerSimulator } = await import('./container-simulator.ts');
    return startContainerSimulator(plan);
  }
  const { startProcessSimulator } = await import('./process-simulator.ts');
  return startProcessSimulator(plan);
}
