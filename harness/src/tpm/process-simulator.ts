import { readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';
import type { SimulatorPlan, StartedTpmSimulator } from './simulator.ts';

/** Starts the swtpm of this machine. */
export async function startProcessSimulator({
  timeoutMs,
  signal,
}: SimulatorPlan): Promise<StartedTpmSimulator> {
  const simulator = await startTpmSimulator({ timeoutMs, ...(signal === undefined ? {} : { signal }) });
  return {
    runtime: 'process',
    address: simulator.address,
    restart: () => simulator.restart(),
    reset: () => simulator.reset(),
    readSnapshot: () => readTpmSnapshot(simulator.address),
    stop: () => simulator.stop(),
    [Symbol.asyncDispose]: () => simulator.stop(),
  };
}
