import { checkOptions, defaultTimeoutMs } from './options.ts';
import type { TpmSimulatorOptions } from './options.ts';
import { bootSimulator } from './simulator.ts';
import type { TpmSimulator } from './simulator.ts';
import { prepareStateTemplate } from './state-template.ts';

/**
 * Starts a TPM simulator (swtpm) of its own, on an address of its own, and waits until it answers.
 *
 * It ends with {@link TpmSimulator.stop}; when the program ends without (even by SIGKILL), a watchdog
 * ends the simulator and removes its directory. It does not keep the program alive.
 *
 * Rejects with `ERR_SIMULATOR_MISSING` when swtpm is not installed, `ERR_SIMULATOR_START` when it ends
 * before it answers, `ERR_TIMEOUT` when it never does, `ERR_INVALID_ARGUMENT` for contradicting options.
 */
export async function startTpmSimulator(options: TpmSimulatorOptions = {}): Promise<TpmSimulator> {
  checkOptions(options);
  const templated = options.provisioned === true || options.endorsementCertificate === true;
  const template = templated ? await prepareStateTemplate(options) : undefined;
  return bootSimulator({
    stateFrom: options.stateFrom ?? template?.directory,
    endorsementRootsPem: template?.endorsementRootsPem ?? [],
    address: options.address ?? 'unix',
    executable: options.executable ?? 'swtpm',
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    signal: options.signal,
  });
}
