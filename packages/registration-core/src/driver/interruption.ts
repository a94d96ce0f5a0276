import type { Clock } from '@endorse/interface';
import type { RegistrationEvent } from '../machine/events.ts';

/** What interrupted a run. */
export type InterruptionEvent = Extract<RegistrationEvent, { readonly type: 'abort' | 'deadline-passed' }>;

/**
 * The caller's signal and the overall deadline, as one thing that happens at
 * most once: whichever comes first wins, and nothing after it counts.
 */
export class Interruption {
  #event: InterruptionEvent | undefined;
  #reason: unknown;
  readonly #listeners = new Set<(reason: unknown) => void>();
  readonly #timer = new AbortController();
  readonly #signal: AbortSignal | undefined;

  /** Starts the deadline; `createDeadlineError` makes what running activities are aborted with. */
  constructor(
    signal: AbortSignal | undefined,
    clock: Clock,
    deadlineMs: number,
    createDeadlineError: () => Error,
  ) {
    this.#signal = signal;
    if (signal?.aborted === true) {
      this.#onAbort();
      return;
    }
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    clock.sleep(deadlineMs, this.#timer.signal).then(
      () => this.#interrupt({ type: 'deadline-passed' }, createDeadlineError()),
      () => undefined,
    );
  }

  /** The event for the machine; undefined while nothing has happened. */
  get event(): InterruptionEvent | undefined {
    return this.#event;
  }

  /** The caller's reason, or the deadline's error. */
  get reason(): unknown {
    return this.#reason;
  }

  /** Calls `listener` once with the reason, at once if it has already happened; returns what unsubscribes it. */
  subscribe(listener: (reason: unknown) => void): () => void {
    if (this.#event !== undefined) listener(this.#reason);
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets go of the caller's signal and of the timer. */
  dispose(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#timer.abort();
    this.#listeners.clear();
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#signal?.reason;
    this.#interrupt({ type: 'abort', code: codeOf(reason) }, reason);
  };

  #interrupt(event: InterruptionEvent, reason: unknown): void {
    if (this.#event !== undefined) return;
    this.#event = event;
    this.#reason = reason;
    this.#timer.abort();
    for (const listener of this.#listeners) listener(reason);
    this.#listeners.clear();
  }
}

/** A name for the reason of an abort: its string `code`, or `ABORT_ERR` as the platform names it. */
function codeOf(reason: unknown): string {
  const code = reason instanceof Error && 'code' in reason ? reason.code : undefined;
  return typeof code === 'string' ? code : 'ABORT_ERR';
}
