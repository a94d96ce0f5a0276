import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChannelEndpoint, SimulatorEndpoints } from './address.ts';
import { SimulatorError, missingProgram } from './errors.ts';
import { getRandomByte, responseCode } from './raw-command.ts';
import { withRawTpm } from './raw-tpm.ts';

/** Where and on what a swtpm runs. */
export interface SwtpmLaunch {
  /** Program to start. */
  readonly executable: string;
  readonly endpoints: SimulatorEndpoints;
  readonly stateDirectory: string;
  readonly pidFile: string;
}

type SwtpmChild = ChildProcessByStdio<null, null, Readable>;

// swtpm ends within a few milliseconds of SIGTERM; a stuck one must not hold up a test run.
const termGraceMs = 2_000;
// How often a start looks for the pid file; a whole start takes about 10 ms.
const pollMs = 2;
const keptOutputBytes = 4_096;

/** One running swtpm. */
export class SwtpmProcess {
  readonly pid: number;
  /** Resolves when the process has ended for whatever reason. */
  readonly ended: Promise<void>;
  readonly #child: SwtpmChild;
  readonly #outputClosed: Promise<void>;
  #output = '';

  private constructor(child: SwtpmChild) {
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once('exit', () => resolve());
    });
    this.#outputClosed = new Promise((resolve) => {
      child.once('close', () => resolve());
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.#output = (this.#output + chunk).slice(-keptOutputBytes);
    });
  }

  /**
   * Starts swtpm and waits until the TPM behind it answers a command; `onSpawn` hears of the process before that.
   * Rejects with `ERR_SIMULATOR_MISSING` or `ERR_SIMULATOR_START`, on abort with the signal's reason; nothing is left running.
   */
  static async launch(
    launch: SwtpmLaunch,
    signal: AbortSignal,
    onSpawn: (process: SwtpmProcess) => void,
  ): Promise<SwtpmProcess> {
    const child = spawn(launch.executable, swtpmArguments(launch), {
      stdio: ['ignore', 'ignore', 'pipe'],
      // A group of its own: Ctrl-C in a terminal must reach us first, so that clients can still clean up.
      detached: true,
    });
    const process = new SwtpmProcess(child);
    // At once: from here on somebody else must know whom to kill should we die.
    if (child.pid !== undefined) onSpawn(process);
    await untilSpawned(child, launch.executable);
    try {
      await process.#untilListening(launch.pidFile, signal);
      await untilAnswering(launch.endpoints.data, signal);
    } catch (error) {
      throw await process.#startFailure(error, signal);
    }
    // A forgotten simulator must not keep its program alive; the watchdog collects it.
    child.unref();
    (child.stderr as Socket).unref();
    return process;
  }

  /** True when the process is gone. */
  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Ends the process and waits for it: SIGTERM, then SIGKILL after 2 s; `'now'` is SIGKILL at once. */
  async terminate(how: 'orderly' | 'now'): Promise<void> {
    if (this.hasEnded) return;
    this.#child.ref();
    this.#child.kill(how === 'now' ? 'SIGKILL' : 'SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), termGraceMs);
    await this.ended;
    clearTimeout(timer);
  }

  /**
   * swtpm writes its pid file after its sockets listen. The id in it proves that the sockets are
   * this process's and not those of another simulator that took the same port first.
   */
  async #untilListening(pidFile: string, signal: AbortSignal): Promise<void> {
    while (!this.hasEnded) {
      signal.throwIfAborted();
      const text = await readFile(pidFile, 'utf8').catch(() => '');
      if (Number(text) === this.pid) return;
      await delay(pollMs);
    }
    throw new SimulatorError('ERR_SIMULATOR_START', 'swtpm ended at once');
  }

  async #startFailure(error: unknown, signal: AbortSignal): Promise<unknown> {
    const crashed = await Promise.race([this.ended.then(() => true), delay(crashNoticeMs, false)]);
    await this.terminate('now');
    await this.#outputClosed;
    if (signal.aborted || !crashed) return error;
    const output = this.#output.trim() || 'it printed nothing';
    return new SimulatorError('ERR_SIMULATOR_START', `swtpm ended before it answered: ${output}`, {
      cause: error,
    });
  }
}

// A dying swtpm closes its sockets before its exit is reported.
const crashNoticeMs = 200;

function swtpmArguments({ endpoints, stateDirectory, pidFile }: SwtpmLaunch): string[] {
  return [
    'socket',
    '--tpm2',
    ...['--tpmstate', `dir=${stateDirectory},mode=0600`],
    ...['--server', channelArgument(endpoints.data)],
    ...['--ctrl', channelArgument(endpoints.control)],
    ...['--pid', `file=${pidFile}`],
    ...['--flags', 'not-need-init,startup-clear'],
  ];
}

function channelArgument(endpoint: ChannelEndpoint): string {
  return endpoint.kind === 'unix'
    ? `type=unixio,path=${endpoint.path},mode=0600`
    : `type=tcp,port=${endpoint.port},bindaddr=${endpoint.host}`;
}

async function untilSpawned(child: SwtpmChild, executable: string): Promise<void> {
  try {
    await once(child, 'spawn');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw missingProgram(executable, cause);
    throw new SimulatorError('ERR_SIMULATOR_START', `${executable} cannot be run`, { cause });
  }
}

async function untilAnswering(data: ChannelEndpoint, signal: AbortSignal): Promise<void> {
  const response = await withRawTpm(data, signal, (transmit) => transmit(getRandomByte));
  const code = responseCode(response);
  if (code !== 0) {
    const hex = code.toString(16).padStart(3, '0');
    throw new SimulatorError('ERR_SIMULATOR_START', `the TPM does not work: response code 0x${hex}`);
  }
}
