import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a finished actor printed. */
export interface ActorRun {
  readonly exitCode: number | null;
  /** Its JSON lines on standard output, in order. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly errors: string;
  /** From spawn to exit, in milliseconds. */
  readonly wallMs: number;
}

/** How to run an actor. */
export interface ActorOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
  /** Folder that holds the actor; default `harness/actors`. */
  readonly directory?: string;
  /** The actor is killed after this time; default 60,000 ms. */
  readonly timeoutMs?: number;
}

const actorsDirectory = fileURLToPath(new URL('../actors', import.meta.url));

/** Path of a file in `harness/actors`. */
export function actorPath(name: string): string {
  return `${actorsDirectory}/${name}`;
}

/** Runs an actor (a client in a process of its own) to its end and collects its JSON lines. */
export function runActor(name: string, options: ActorOptions): Promise<ActorRun> {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [...(options.nodeArguments ?? []), `${options.directory ?? actorsDirectory}/${name}`],
    {
      env: { ...process.env, NODE_OPTIONS: '', ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
    },
  );
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      const lines = output.split('\n').filter((line) => line.startsWith('{'));
      resolve({
        exitCode,
        lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
        errors,
        wallMs: performance.now() - startedAt,
      });
    });
  });
}
