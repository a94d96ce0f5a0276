import type { Clock } from '@endorse/interface';
import { TimeoutError } from '@endorse/interface';

/** How long an aborted call waits for the part to answer, in milliseconds: a TPM should be at rest when an abort is reported. */
const abortGraceMs = 5000;

/**
 * Runs calls on a foreign part one after the other, and gives each a time limit.
 *
 * A call that was given up still occupies the part until it answers, at most for
 * twice the limit: the TPM behind it mixes up two commands in flight, and nobody
 * can take a command back.
 */
export class CallQueue {
  readonly #clock: Clock;
  readonly #limitMs: number;
  #free: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Runs `work` when the part is free. Rejects with `signal.reason`, with `ERR_TIMEOUT`, or as `work` does. */
  async run<Value>(
    name: string,
    work: () => Promise<Value>,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Value> {
    signal.throwIfAborted();
    const turn = this.#free;
    const { promise: free, resolve: release } = Promise.withResolvers<unknown>();
    this.#free = free;
    try {
      await untilAborted(turn, signal);
    } catch (error) {
      turn.then(release, release);
      throw error;
    }
    const call = work();
    this.#within(call, 2 * this.#limitMs, name).then(release, release);
    try {
      return await untilAborted(this.#within(call, this.#limitMs, name), signal);
    } catch (error) {
      if (signal.aborted) await this.#within(call, abortGraceMs, name).catch(() => undefined);
      throw error;
    }
  }

  /** Settles as `call` does, or rejects with `ERR_TIMEOUT`. */
  async #within<Value>(call: Promise<Value>, limitMs: number, name: string): Promise<Value> {
    const settled = new AbortController();
    const timedOut = this.#clock.sleep(limitMs, settled.signal).then(() => {
      throw new TimeoutError(`${name}: the official SDK's object did not call back within ${limitMs} ms`, {
        deadlineMs: limitMs,
        state: name,
      });
    });
    try {
      return await Promise.race([call, timedOut]);
    } finally {
      settled.abort();
    }
  }
}

/** Settles as `promise` does, or rejects with `signal.reason`, and lets go of the signal. */
export async function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  const settled = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    settled.abort();
  }
}
