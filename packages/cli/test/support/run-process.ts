import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A running `endorse`; disposing of it kills it. */
export interface CliProcess extends AsyncDisposable {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the first line of either stream that matches; rejects when the process ends without one. */
  readonly line: (pattern: RegExp) => Promise<string>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Stops reading its standard output, as `| head -1` does. */
  readonly closeOutput: () => void;
  /** Resolves when the process has ended and its streams are read to the end. */
  readonly ended: Promise<{ readonly exitCode: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Starts the program from its sources as a process of its own, with nothing but PATH and `env` in its environment. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): CliProcess {
  const child = spawn(process.execPath, ['--conditions=@endorse/source', main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    tell();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    tell();
  });
  const ended = new Promise<Awaited<CliProcess['ended']>>((resolve) => {
    child.once('close', (exitCode, signal) => {
      resolve({ exitCode, signal });
      tell();
    });
  });
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = `${stdout}\n${stderr}`.split('\n').find((text) => pattern.test(text));
        const isOver = child.exitCode !== null || child.signalCode !== null;
        if (found === undefined && !isOver) return;
        listeners.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`ended without ${String(pattern)}:\n${stdout}\n${stderr}`));
      };
      listeners.add(look);
      look();
    });
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    line,
    kill: (signal) => void child.kill(signal),
    closeOutput: () => child.stdout.destroy(),
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs the program to its end. */
export async function runProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }> {
  await using cli = startCli(args, env);
  const { exitCode } = await cli.ended;
  return { exitCode, stdout: cli.stdout(), stderr: cli.stderr() };
}
