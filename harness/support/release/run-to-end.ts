import { execFile } from 'node:child_process';

/** Runs a program to its end and resolves to its output; rejects with the end of it unless it exits with 0. */
export function runToEnd(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number },
): Promise<string> {
  const { cwd, env = process.env, timeoutMs = 180_000 } = options;
  return new Promise((resolve, reject) => {
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 } as const;
    execFile(command, args, { cwd, env, ...limits }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else {
        const output = `${stdout}\n${stderr}`.slice(-4000);
        reject(new Error(`${[command, ...args].join(' ')} failed:\n${output}`, { cause: error }));
      }
    });
  });
}
