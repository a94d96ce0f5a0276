import type { ReadStream } from 'node:tty';
import { Secret } from '@endorse/interface';
import { UsageError } from '../command/usage-error.ts';

/** Asks for a secret on the terminal, without showing what is typed. Rejects when there is no terminal. */
export async function promptSecret(
  what: string,
  signal: AbortSignal,
  terminal: { readonly input: ReadStream; readonly output: { write(text: string): unknown } } = {
    input: process.stdin,
    output: process.stderr,
  },
): Promise<Secret> {
  const { input, output } = terminal;
  if (!input.isTTY) {
    throw new UsageError('there is no terminal to ask on', {
      remedy: 'Give the secret by an environment variable, a file or a descriptor.',
    });
  }
  output.write(`${what}: `);
  input.setRawMode(true);
  try {
    return Secret.fromText(await readLine(input, signal));
  } finally {
    input.setRawMode(false);
    input.pause();
    output.write('\n');
  }
}

/** Ctrl-C, Ctrl-D, backspace and delete as a terminal in raw mode sends them. */
const keys = { interrupt: '\u0003', end: '\u0004', backspace: '\b', delete: '\u007F' };

function readLine(input: ReadStream, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const finish = (settle: () => void): void => {
      input.off('data', onData);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = (): void => finish(() => reject(signal.reason));
    const onData = (chunk: Buffer): void => {
      for (const sign of chunk.toString('utf8')) {
        if (sign === '\r' || sign === '\n' || sign === keys.end) {
          finish(() => (text === '' ? reject(new UsageError('nothing was typed')) : resolve(text)));
          return;
        }
        if (sign === keys.interrupt) {
          // In raw mode the terminal makes no signal of it.
          finish(() => reject(new UsageError('the question was not answered')));
          return;
        }
        if (sign === keys.backspace || sign === keys.delete) text = text.slice(0, -1);
        else text += sign;
      }
    };
    signal.addEventListener('abort', onAbort, { once: true });
    input.on('data', onData);
    input.resume();
  });
}
