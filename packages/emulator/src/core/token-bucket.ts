/**
 * A token bucket: full at first, it refills evenly and never holds more than it did then. Knows no clock; whoever
 * takes a token says what time it is.
 */
export class TokenBucket {
  readonly #capacity: number;
  readonly #refillMs: number;
  #tokens: number;
  #at: number;

  /** A bucket of `capacity` tokens, that many every `periodMs` milliseconds. */
  constructor(capacity: number, periodMs: number, now: number) {
    this.#capacity = capacity;
    this.#refillMs = periodMs / capacity;
    this.#tokens = capacity;
    this.#at = now;
  }

  /** Takes a token and returns 0, or takes none and returns how many milliseconds from now there will be one. */
  take(now: number): number {
    this.#refill(now);
    if (this.#tokens < 1 - rounding) return Math.ceil((1 - this.#tokens) * this.#refillMs - rounding);
    this.#tokens = Math.max(0, this.#tokens - 1);
    return 0;
  }

  /** True when the bucket is as good as a new one. */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= this.#capacity - rounding;
  }

  #refill(now: number): void {
    // A clock that was set back must not empty the bucket.
    const elapsedMs = Math.max(0, now - this.#at);
    this.#tokens = Math.min(this.#capacity, this.#tokens + elapsedMs / this.#refillMs);
    this.#at = now;
  }
}

/** A third of a token three times is a token. */
const rounding = 1e-6;
