import type { Clock } from '@endorse/interface';

/**
 * Counts the time that passes, in milliseconds. A device's clock is set when it first hears from a time server: a step
 * backwards must not stop the count, so that every wait still ends.
 */
export class ElapsedClock {
  readonly #clock: Pick<Clock, 'now'>;
  #last: number;
  #elapsed = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.#last = clock.now();
  }

  /** Milliseconds since the client was made; never less than the last time. */
  now(): number {
    const now = this.#clock.now();
    this.#elapsed += Math.max(0, now - this.#last);
    this.#last = now;
    return this.#elapsed;
  }
}
