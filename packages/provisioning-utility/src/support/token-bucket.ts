import type { Clock } from '@endorse/interface';

/** Lets at most so many calls a minute through, with a burst at the start; callers wait in order. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;
  #queue: Promise<unknown> = Promise.resolve();

  /** `perMinute` is 1 to 100,000; `burst`, the tokens there are at the start, 1 to 1,000. */
  constructor(options: { readonly perMinute: number; readonly burst: number; readonly clock: Clock }) {
    this.#clock = options.clock;
    this.#perMs = options.perMinute / 60_000;
    this.#burst = options.burst;
    this.#tokens = options.burst;
    this.#filledAt = options.clock.now();
  }

  /** Resolves when the caller may go on; rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<void> {
    const turn = this.#queue.then(() => this.#takeNow(signal));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #takeNow(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#fill();
    if (this.#tokens < 1) {
      await this.#clock.sleep(Math.ceil((1 - this.#tokens) / this.#perMs), signal);
      this.#fill();
    }
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  #fill(): void {
    const now = this.#clock.now();
    const elapsedMs = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedMs * this.#perMs);
    this.#filledAt = now;
  }
}
