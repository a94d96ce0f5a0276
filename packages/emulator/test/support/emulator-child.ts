import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** An emulator on a data directory in a process of its own, which may be killed at any moment. */
export interface EmulatorChild extends AsyncDisposable {
  readonly address: EmulatorChildAddress;
  /** SIGKILL, and waits until the system has cleaned up. */
  kill(): Promise<void>;
  /** Settles when it has ended by itself. */
  readonly ended: Promise<unknown>;
}

/** What the child tells when it listens. */
export interface EmulatorChildAddress {
  readonly idScope: string;
  readonly http: string;
  readonly hub: string;
  readonly caPem: string;
  readonly serviceConnectionString: string;
}

const program = `
  import { StatementSync } from 'node:sqlite';
  import { startEmulator } from '@endorse/emulator';
  const { run } = StatementSync.prototype;
  let writesLeft = Number(process.argv[2]);
  StatementSync.prototype.run = function (...values) {
    if ((writesLeft -= 1) === 0) process.kill(process.pid, 'SIGKILL');
    return run.apply(this, values);
  };
  const emulator = await startEmulator({ dataDirectory: process.argv[1], assigningDurationMs: 0 });
  const { idScope, caPem, endpoints: { http, hub } } = emulator;
  const serviceConnectionString = emulator.serviceConnectionString.revealText();
  console.log(JSON.stringify({ idScope, http, hub, caPem, serviceConnectionString }));
`;

/**
 * Starts one; its complaints go to the test's own error stream. With `dieBeforeWrite` it kills itself, as hard as
 * anybody could, when it is about to write a record for that many times: between two records of a request, mostly.
 */
export async function startEmulatorChild(dataDirectory: string, dieBeforeWrite = 0): Promise<EmulatorChild> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@endorse/source',
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '--eval',
      program,
      dataDirectory,
      String(dieBeforeWrite),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname },
  );
  const ended = once(child, 'close');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const line = await firstLine(child);
  if (line === undefined) throw new Error('the emulator ended before it was ready');
  return {
    address: JSON.parse(line) as EmulatorChildAddress,
    kill,
    ended,
    [Symbol.asyncDispose]: kill,
  };
}

async function firstLine({ stdout }: ChildProcess): Promise<string | undefined> {
  if (stdout === null) return undefined;
  for await (const line of createInterface({ input: stdout })) return line;
  return undefined;
}
