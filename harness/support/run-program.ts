import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How a program ended. */
export interface ProgramRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Shorter than a test may take by default, so that the test can say what was printed until then. */
const defaultTimeoutMs = 25_000;

/** Runs a TypeScript file of the repository to its end as a process of its own. Killed, it has no exit code. */
export function runProgram(
  file: URL,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  timeoutMs: number = defaultTimeoutMs,
): Promise<ProgramRun> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--conditions=@endorse/source', fileURLToPath(file), ...args],
      {
        env: { ...process.env, NODE_OPTIONS: '', ...environment },
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
      },
      (_error, stdout, stderr) => resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
  });
}

/** The JSON lines in a text; throws on a line that is none. */
export function parseJsonLines(text: string): readonly Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}
