import type { DemoSink } from './events.ts';

/** Numbers the steps of the demo and measures what happens in them. */
export class Story {
  readonly #emit: DemoSink;
  #step = 0;
  #lastAt = performance.now();

  constructor(emit: DemoSink) {
    this.#emit = emit;
  }

  /** Reports an event as it is. */
  get emit(): DemoSink {
    return this.#emit;
  }

  /** Opens the next step. */
  step(title: string, detail: string): void {
    this.#step += 1;
    this.#lastAt = performance.now();
    this.#emit({ event: 'step', step: this.#step, title, detail });
  }

  /** States a fact of the current step. */
  fact(name: string, value: string): void {
    this.#emit({ event: 'fact', name, value });
  }

  /** Reports something that has just ended, with the time since the last thing that ended. */
  happened(name: string, detail: string): void {
    const now = performance.now();
    this.#emit({ event: 'progress', name, detail, durationMs: now - this.#lastAt });
    this.#lastAt = now;
  }
}
