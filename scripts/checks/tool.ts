/** External tools that checks run: output captured, time bounded, ended with us. */
import { type ChildProcess, spawn } from 'node:child_process';

/** How a tool ended and what it wrote on both streams, in order. */
export interface ToolOutcome {
  readonly exitCode: number;
  readonly output: string;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs a tool to its end; never rejects for what the tool does. `timeoutMs` defaults to 5 minutes. */
export function runTool(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly timeoutMs?: number;
    /** Sees the output as it comes. */
    readonly onOutput?: (text: string) => void;
  },
): Promise<ToolOutcome> {
  return new Promise((resolve) => {
    const { cwd, env = process.env, timeoutMs = 300_000 } = options;
    let output = '';
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    running.add(child);
    const keep = (chunk: string): void => {
      output += chunk;
      options.onOutput?.(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.once('error', (error) => {
      running.delete(child);
      resolve({ exitCode: 127, output: `${command}: ${error.message}` });
    });
    child.once('close', (code, signal) => {
      running.delete(child);
      if (code === null) output += `\n${command} was ended by ${signal} (limit ${timeoutMs} ms)`;
      resolve({ exitCode: code ?? 128, output });
    });
  });
}
