/** Child processes: quietly for set-up, in the foreground for the command itself. */
import { spawn } from 'node:child_process';
import { endingSignals, exitCodeOf } from './interrupt.mjs';
import { StepError } from './step.mjs';

/** How much of a failed tool's output is shown. */
const tailCharacters = 4000;

/**
 * Runs a set-up tool without showing its output; a failure carries the end of it.
 *
 * @param {{ step: string, remedy: string, command: string, args: string[], cwd: string,
 *   env?: NodeJS.ProcessEnv, timeoutMs?: number }} options `timeoutMs` defaults to 15 minutes.
 * @returns {Promise<string>} What the tool wrote.
 */
export function runStep({ step, remedy, command, args, cwd, env = process.env, timeoutMs = 900_000 }) {
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const release = passSignalsTo(child, true);
    const keep = (chunk) => {
      output = (output + chunk).slice(-tailCharacters);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.once('error', (error) => {
      release();
      reject(new StepError(step, `${command} could not be started (${error.message})`, remedy));
    });
    child.once('close', (code, signal) => {
      const interruptedBy = release();
      if (interruptedBy !== undefined) process.exit(exitCodeOf(interruptedBy));
      if (code === 0) resolve(output);
      else {
        const outcome = code === null ? `was ended by ${signal}` : `exited with ${code}`;
        reject(new StepError(step, `${command} ${outcome}\n${output}`, remedy));
      }
    });
  });
}

/**
 * Runs the command itself on our own streams and passes signals on.
 *
 * @returns {Promise<number>} Its exit code, 128 + n when signal n ended it.
 */
export function runForeground(command, args, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: 'inherit' });
    // A terminal sends Ctrl-C to the whole foreground group; a second one would mean "now, hard" to the child.
    const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
    const release = passSignalsTo(child, !terminal);
    child.once('error', (error) => {
      release();
      reject(error);
    });
    child.once('close', (code, signal) => {
      release();
      resolve(code ?? exitCodeOf(signal));
    });
  });
}

/** Keeps us alive until the child has ended; the returned function says which signal came, if any. */
function passSignalsTo(child, passInterrupt) {
  let received;
  const handlers = endingSignals.map((name) => {
    const handler = () => {
      received ??= name;
      if (name !== 'SIGINT' || passInterrupt) child.kill(name);
    };
    process.on(name, handler);
    return [name, handler];
  });
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
    return received;
  };
}
