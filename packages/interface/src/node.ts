/**
 * The system ports: real time, real randomness, lines on a stream.
 * The only impure module below the tiers that do IO.
 */
import { randomBytes } from 'node:crypto';
import { InvalidArgumentError } from './errors.ts';
import type { Clock, LogLevel, Logger, RandomSource } from './ports.ts';

/** The longest delay a Node.js timer can take, in milliseconds (about 24.8 days). */
const maxTimerMs = 2_147_483_647;

/** The system clock. A sleeping timer keeps the process alive and is cleared on abort. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  sleep: (delayMs: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
        Math.min(Math.max(0, delayMs), maxTimerMs),
      );
      signal.addEventListener('abort', onAbort, { once: true });
    }),
});

/** The system's cryptographic random source. Throws `ERR_OUT_OF_RANGE` for a length outside 0 to 65,536. */
export const systemRandom: RandomSource = Object.freeze({
  bytes: (byteLength: number): Uint8Array => {
    if (!Number.isInteger(byteLength) || byteLength < 0 || byteLength > 65_536) {
      throw new InvalidArgumentError('byteLength', 'must be an integer from 0 to 65,536', 'ERR_OUT_OF_RANGE');
    }
    return new Uint8Array(randomBytes(byteLength));
  },
});

/** What a stream logger writes to; `process.stderr` fits. */
export interface LineSink {
  /** Takes one line, its line feed included; what it returns is ignored. */
  write(text: string): unknown;
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A logger that writes one JSON line an event to `sink`, from `minimumLevel` (default `info`) up. */
export function createJsonLogger(
  sink: LineSink,
  options: { readonly minimumLevel?: LogLevel; readonly clock?: Clock } = {},
): Logger {
  const minimum = levels.indexOf(options.minimumLevel ?? 'info');
  const clock = options.clock ?? systemClock;
  return {
    log: (level, event, fields = {}) => {
      if (levels.indexOf(level) < minimum) return;
      sink.write(`${JSON.stringify({ at: new Date(clock.now()).toISOString(), level, event, ...fields })}\n`);
    },
  };
}
