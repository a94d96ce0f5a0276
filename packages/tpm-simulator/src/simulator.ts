import { formatSimulatorAddress, formatTcti, tcpEndpoints, unixEndpoints } from './address.ts';
import type { SimulatorEndpoints } from './address.ts';
import { withDeadline } from './deadline.ts';
import { SimulatorError } from './errors.ts';
import { findFreePortPair } from './port-pair.ts';
import { shutdownClear } from './raw-command.ts';
import { withRawTpm } from './raw-tpm.ts';
import { clearState, copyState, createWorkDirectory } from './state-directory.ts';
import type { WorkDirectory } from './state-directory.ts';
import { SwtpmProcess } from './swtpm-process.ts';
import { startWatchdog } from './watchdog.ts';
import type { Watchdog } from './watchdog.ts';

/** What a simulator is started with, once its options are checked. */
export interface SimulatorPlan {
  /** State to copy; undefined for a TPM fresh from the factory. */
  readonly stateFrom: string | undefined;
  readonly endorsementRootsPem: readonly string[];
  readonly address: 'unix' | 'tcp';
  readonly executable: string;
  /** Longest time until the TPM answers, for the start and for every restart. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A running TPM simulator. */
export interface TpmSimulator extends AsyncDisposable {
  /** Where it listens: `swtpm+unix:///path` or `swtpm://127.0.0.1:port`; the same after a restart. */
  readonly address: string;
  /** The same for tpm2-tools: the value of `TPM2TOOLS_TCTI`. */
  readonly tcti: string;
  /** Its NV memory; may be copied after {@link TpmSimulator.stop} began, or while it is killed. */
  readonly stateDirectory: string;
  /** Process id of the latest swtpm. */
  readonly pid: number;
  /** False after {@link TpmSimulator.kill}, {@link TpmSimulator.stop} or a crash. */
  readonly isRunning: boolean;
  /** PEM of the authority behind the EK certificate, root first; empty without `endorsementCertificate`. */
  readonly endorsementRootsPem: readonly string[];
  /**
   * Powers the TPM down in an orderly way (or finds it dead) and up again with its persistent state.
   * Open connections are lost. Rejects with `ERR_SIMULATOR_STOPPED` after {@link TpmSimulator.stop}.
   */
  restart(): Promise<void>;
  /**
   * Puts the TPM back into the state it was started with, at the same address: a fresh one gets other seeds, a copied
   * one is copied again. Open connections are lost. Rejects with `ERR_SIMULATOR_STOPPED` after {@link TpmSimulator.stop}.
   */
  reset(): Promise<void>;
  /** Cuts the power: SIGKILL, nothing is saved that was not saved. {@link TpmSimulator.restart} brings it back. */
  kill(): Promise<void>;
  /** Ends the process and removes its directory; bounded in time, harmless when repeated, never rejects. */
  stop(): Promise<void>;
}

// How long a client that keeps the only connection may delay an orderly power-down.
const shutdownTimeoutMs = 500;
// Free ports can be taken between looking and binding; losing this race this often in a row means something else.
const maxPortRaces = 5;

/** Starts a simulator in a fresh directory; on failure nothing is left behind. */
export async function bootSimulator(plan: SimulatorPlan): Promise<TpmSimulator> {
  const work = await createWorkDirectory();
  const simulator = new Simulator(work, startWatchdog(work.root), plan);
  try {
    if (plan.stateFrom !== undefined) await copyState(plan.stateFrom, work.state);
    await simulator.start();
    return simulator;
  } catch (error) {
    await simulator.stop();
    throw error;
  }
}

class Simulator implements TpmSimulator {
  readonly endorsementRootsPem: readonly string[];
  readonly #work: WorkDirectory;
  readonly #watchdog: Watchdog;
  readonly #plan: SimulatorPlan;
  #endpoints: SimulatorEndpoints;
  #process: SwtpmProcess | undefined;
  #stopped: Promise<void> | undefined;
  /** Power changes happen one after the other. */
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(work: WorkDirectory, watchdog: Watchdog, plan: SimulatorPlan) {
    this.#work = work;
    this.#watchdog = watchdog;
    this.#plan = plan;
    this.#endpoints = unixEndpoints(work.socket);
    this.endorsementRootsPem = Object.freeze([...plan.endorsementRootsPem]);
  }

  get address(): string {
    return formatSimulatorAddress(this.#endpoints);
  }

  get tcti(): string {
    return formatTcti(this.#endpoints);
  }

  get stateDirectory(): string {
    return this.#work.state;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#process !== undefined && !this.#process.hasEnded;
  }

  async start(): Promise<void> {
    const tcp = this.#plan.address === 'tcp';
    for (let race = 1; ; race += 1) {
      if (tcp) this.#endpoints = tcpEndpoints('127.0.0.1', await findFreePortPair());
      try {
        await this.#launch(this.#plan.signal);
        return;
      } catch (error) {
        if (!tcp || race === maxPortRaces || !isPortTaken(error)) throw error;
      }
    }
  }

  async restart(): Promise<void> {
    await this.#change(async () => {
      await this.#powerDown();
      await this.#launch(undefined);
    });
  }

  async reset(): Promise<void> {
    await this.#change(async () => {
      await this.#process?.terminate('now');
      await clearState(this.#work.state);
      if (this.#plan.stateFrom !== undefined) await copyState(this.#plan.stateFrom, this.#work.state);
      await this.#launch(undefined);
    });
  }

  async kill(): Promise<void> {
    await this.#change(async () => this.#process?.terminate('now'));
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#lastChange.then(async () => {
      await this.#process?.terminate('orderly');
      // What cannot be removed now is left to the watchdog, at the end of the program.
      await this.#work.remove().then(
        () => this.#watchdog.release(),
        () => undefined,
      );
    });
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #launch(signal: AbortSignal | undefined): Promise<void> {
    const { executable, timeoutMs } = this.#plan;
    const { state: stateDirectory, pidFile } = this.#work;
    const launch = { executable, endpoints: this.#endpoints, stateDirectory, pidFile };
    await withDeadline({ timeoutMs, state: 'starting swtpm', signal }, (combined) =>
      SwtpmProcess.launch(launch, combined, (spawned) => {
        this.#process = spawned;
        this.#watchdog.watch(spawned.pid);
        void spawned.ended.then(() => {
          if (this.#process === spawned) this.#watchdog.watch(undefined);
        });
      }),
    );
  }

  /** Without TPM2_Shutdown a TPM counts a power loss as an attack on its keys (Part 1, 19.8.6). */
  async #powerDown(): Promise<void> {
    if (!this.isRunning) return;
    await withDeadline({ timeoutMs: shutdownTimeoutMs, state: 'powering down' }, (signal) =>
      withRawTpm(this.#endpoints.data, signal, (transmit) => transmit(shutdownClear)),
    ).catch(() => undefined);
    await this.#process?.terminate('orderly');
  }

  async #change(act: () => Promise<void>): Promise<void> {
    if (this.#stopped !== undefined) {
      throw new SimulatorError('ERR_SIMULATOR_STOPPED', 'the simulator was stopped');
    }
    const change = this.#lastChange.then(act);
    this.#lastChange = change.catch(() => undefined);
    await change;
  }
}

function isPortTaken(error: unknown): boolean {
  return error instanceof SimulatorError && /in use/i.test(error.message);
}
