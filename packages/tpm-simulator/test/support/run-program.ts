import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A child program of a test, with the first line it printed. */
export interface RunningProgram {
  readonly child: ChildProcess;
  /** Its first line of output, parsed as JSON. */
  readonly firstLine: unknown;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Starts a program of `test/programs` and waits for the first line it prints. */
export async function runProgram(
  name: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningProgram> {
  const file = fileURLToPath(new URL(`../programs/${name}`, import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@endorse/source', file], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  let text = '';
  for await (const chunk of child.stdout) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return { child, firstLine: JSON.parse(text.split('\n')[0] ?? ''), ended };
}
