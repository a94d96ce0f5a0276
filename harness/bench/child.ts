import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a measured child printed and used. */
export interface ChildRun {
  /** Its JSON lines, in order. */
  readonly lines: readonly Record<string, unknown>[];
  /** From spawn to exit, in milliseconds. */
  readonly wallMs: number;
}

/** How to run a child. */
export interface ChildOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
  readonly timeoutMs?: number;
}

/** Runs a script of this folder's tree with this Node.js and collects its JSON lines. Rejects when it fails. */
export function runChild(relativePath: string, options: ChildOptions = {}): Promise<ChildRun> {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [...(options.nodeArguments ?? []), fileURLToPath(new URL(relativePath, import.meta.url))],
    {
      env: { ...process.env, ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 120_000,
    },
  );
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code !== 0) {
        reject(new Error(`${relativePath} ended with ${code ?? signal}: ${output}${errors}`));
        return;
      }
      resolve({ lines: output.trim().split('\n').filter(Boolean).map(parseLine), wallMs: performance.now() - startedAt });
    });
  });
}

function parseLine(line: string): Record<string, unknown> {
  return JSON.parse(line) as Record<string, unknown>;
}

/** The number under `name` in each line. */
export function numbersOf(run: ChildRun, name: string): number[] {
  return run.lines.map((line) => {
    const value = line[name];
    if (typeof value !== 'number') throw new Error(`line has no number ${name}: ${JSON.stringify(line)}`);
    return value;
  });
}
