import { TimeoutError } from '@endorse/interface';

/** What {@link withDeadline} needs to know. */
export interface DeadlineOptions {
  /** Longest duration, in milliseconds. */
  readonly timeoutMs: number;
  /** What is going on, for the error. */
  readonly state: string;
  /** What to do when time is up, for the error. */
  readonly remedy?: string;
  /** The caller's signal. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs something under one signal that ends with the caller's abort (its reason, unwrapped)
 * or with `ERR_TIMEOUT`. The timer and the listener are gone when it settles.
 */
export async function withDeadline<T>(
  options: DeadlineOptions,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  const { timeoutMs, state, remedy, signal } = options;
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  const onTimeout = (): void =>
    controller.abort(
      new TimeoutError(
        `${state} took longer than ${timeoutMs} ms`,
        { deadlineMs: timeoutMs, state },
        { remedy },
      ),
    );
  const timer = setTimeout(onTimeout, timeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
