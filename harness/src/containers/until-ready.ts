import { setTimeout as delay } from 'node:timers/promises';
import { TimeoutError } from '@endorse/interface';

/** How long {@link untilReady} tries. */
export interface ReadyOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What is going on, for the error. */
  readonly state: string;
}

const pollMs = 50;
const attemptTimeoutMs = 5_000;

/**
 * Repeats an attempt until it succeeds. The ports of a container accept connections before anything behind
 * them listens, so only an answer counts. Rejects with `ERR_TIMEOUT`, whose cause is the last failure.
 */
export async function untilReady(
  attempt: (signal: AbortSignal) => Promise<void>,
  { timeoutMs, signal, state }: ReadyOptions,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const left = deadline - performance.now();
    const bound = AbortSignal.timeout(Math.ceil(Math.max(1, Math.min(left, attemptTimeoutMs))));
    try {
      return await attempt(signal === undefined ? bound : AbortSignal.any([signal, bound]));
    } catch (cause) {
      signal?.throwIfAborted();
      if (performance.now() + pollMs >= deadline) {
        const message = `${state} took longer than ${timeoutMs} ms`;
        throw new TimeoutError(message, { deadlineMs: timeoutMs, state }, { cause });
      }
    }
    await delay(pollMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}
