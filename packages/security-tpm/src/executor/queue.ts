import { TpmDeviceError } from '../errors.ts';

/** Options of {@link FifoQueue.run}. */
export interface QueueOptions {
  /** How long to wait for a turn, in milliseconds. */
  readonly timeoutMs: number;
  /** Leaves the queue; the promise then rejects with `signal.reason`. Does nothing once the turn has come. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  start(): void;
  fail(error: unknown): void;
}

/** Lets one task run at a time, in the order they came, and keeps a bounded number waiting. */
export class FifoQueue {
  readonly #maxWaiting: number;
  readonly #waiting: Waiting[] = [];
  #busy = false;
  #closedWith: TpmDeviceError | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** Runs `task` when its turn comes. Rejects with `ERR_TPM_QUEUE_FULL`, `ERR_TPM_BUSY` or `ERR_TPM_CLOSED` before that. */
  async run<T>(task: () => Promise<T>, options: QueueOptions): Promise<T> {
    options.signal?.throwIfAborted();
    if (this.#closedWith !== undefined) throw this.#closedWith;
    if (this.#busy) await this.#wait(options);
    else this.#busy = true;
    try {
      return await task();
    } finally {
      this.#next();
    }
  }

  /** Refuses new tasks and fails those that wait; the running one goes on. */
  close(error: TpmDeviceError): void {
    this.#closedWith ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.fail(error);
  }

  /** Resolves when no task runs and none waits. */
  idle(): Promise<void> {
    return this.#busy ? new Promise((resolve) => this.#whenIdle.push(resolve)) : Promise.resolve();
  }

  #wait({ timeoutMs, signal }: QueueOptions): Promise<void> {
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new TpmDeviceError(
        'ERR_TPM_QUEUE_FULL',
        `${this.#maxWaiting} operations wait for the TPM already`,
      );
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        const index = this.#waiting.indexOf(waiting);
        if (index >= 0) this.#waiting.splice(index, 1);
      };
      const waiting: Waiting = {
        start: () => {
          leave();
          resolve();
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => waiting.fail(signal?.reason);
      const timer = setTimeout(() => {
        waiting.fail(
          new TpmDeviceError('ERR_TPM_BUSY', `another operation held the TPM for over ${timeoutMs} ms`),
        );
      }, timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiting);
    });
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.start();
      return;
    }
    this.#busy = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
