import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A process that answers each line with a JSON line. */
export interface JsonLinesChild {
  /** Its next line. Rejects when it has ended. */
  next(): Promise<unknown>;
  /** Sends a line and resolves to the answer. */
  ask(line: string): Promise<unknown>;
  /** Closes its input, which ends it; resolves to what it said last, undefined when that was nothing. */
  end(): Promise<unknown>;
}

/** Starts an actor with Node.js. What it writes to standard error is passed on. */
export function startJsonLinesChild(
  nodeArguments: readonly string[],
  environment: Readonly<Record<string, string>>,
): JsonLinesChild {
  const child = spawn(process.execPath, nodeArguments, {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  // One that failed says so on standard error; what is still written to it goes nowhere.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`ended early: ${nodeArguments.at(-1) ?? ''}`);
    return JSON.parse(value) as unknown;
  };
  return {
    next,
    ask: (line) => {
      child.stdin.write(`${line}\n`);
      return next();
    },
    end: async () => {
      child.stdin.end();
      const { value, done } = await lines.next();
      await closed;
      return done === true ? undefined : (JSON.parse(value) as unknown);
    },
  };
}
