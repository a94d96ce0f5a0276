import type { Clock } from './ports.ts';
import { InvalidArgumentError } from './errors.ts';

interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

/**
 * A clock that stands still until it is told to move, for tests and the emulator.
 *
 * @example
 * ```js
 * import { VirtualClock } from '@endorse/interface/virtual-clock';
 *
 * const clock = new VirtualClock(0);
 * const slept = clock.sleep(1000, new AbortController().signal);
 * await clock.advance(1000);
 * await slept;
 * ```
 */
export class VirtualClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];

  /** Starts at `startAt` milliseconds since 1970; default 2023-11-14T22:13:20Z. */
  constructor(startAt = 1_700_000_000_000) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  /** How many sleeps are pending. */
  get pendingSleeps(): number {
    return this.#sleepers.length;
  }

  /** When the next sleep ends, in milliseconds since 1970; undefined when nobody sleeps. */
  get nextWakeAt(): number | undefined {
    return this.#sleepers.reduce<number | undefined>(
      (next, { wakeAt }) => (next === undefined || wakeAt < next ? wakeAt : next),
      undefined,
    );
  }

  sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      };
      const sleeper: Sleeper = {
        wakeAt: this.#now + Math.max(0, delayMs),
        wake: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /** Moves time forward, waking sleepers in order and letting what they started settle in between. */
  async advance(deltaMs: number): Promise<void> {
    if (!(deltaMs >= 0)) throw new InvalidArgumentError('deltaMs', 'must be 0 or more', 'ERR_OUT_OF_RANGE');
    const target = this.#now + deltaMs;
    await settle();
    for (let due = this.#takeDue(target); due !== undefined; due = this.#takeDue(target)) {
      this.#now = Math.max(this.#now, due.wakeAt);
      due.wake();
      await settle();
    }
    this.#now = target;
  }

  #takeDue(target: number): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.wakeAt <= target && (earliest === undefined || sleeper.wakeAt < earliest.wakeAt)) {
        earliest = sleeper;
      }
    }
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== earliest);
    return earliest;
  }
}

// Promise chains a waking sleeper sets off are drained by yielding a bounded number of microtask turns.
const settleTurns = 50;

async function settle(): Promise<void> {
  for (let turn = 0; turn < settleTurns; turn += 1) await Promise.resolve();
}
