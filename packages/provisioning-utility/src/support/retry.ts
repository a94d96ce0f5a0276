import type { Clock, RandomSource } from '@endorse/interface';
import { TimeoutError, isEndorseError } from '@endorse/interface';

/** How often a step is attempted, and for how long. */
export interface RetryPolicy {
  /** Attempts, the first included; 1 to 20. */
  readonly maxAttempts: number;
  /** Pause before the first repetition is a random time up to this, in milliseconds; it doubles. */
  readonly firstDelayMs: number;
  /** Longest pause, in milliseconds. */
  readonly maxDelayMs: number;
  /** Time for all attempts together, in milliseconds. */
  readonly deadlineMs: number;
}

/** What a retry needs of the world. */
export interface RetryContext {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly signal: AbortSignal;
  /** True when a further attempt must not begin. */
  readonly isStopping: () => boolean;
}

/**
 * Attempts `work` again after errors that are `retryable`, with pauses of full jitter, or as long as a service asked
 * for. Rejects with the last error, `ERR_TIMEOUT` when the deadline passes during an attempt, or the signal's reason.
 */
export async function retrying<Value>(
  what: string,
  policy: RetryPolicy,
  context: RetryContext,
  work: (attempt: number, signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const { clock, random, signal } = context;
  const endsAt = clock.now() + policy.deadlineMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await withDeadline(what, policy.deadlineMs, endsAt, context, (bounded) =>
        work(attempt, bounded),
      );
    } catch (error) {
      signal.throwIfAborted();
      const mayRepeat = isEndorseError(error) && error.retryable && attempt < policy.maxAttempts;
      if (!mayRepeat || context.isStopping()) throw error;
      const delayMs = askedDelay(error) ?? jitter(policy, attempt, random);
      if (clock.now() + delayMs >= endsAt) throw error;
      await clock.sleep(delayMs, signal);
    }
  }
}

/** Ends `work` when the time is up: its signal is aborted, and the result is `ERR_TIMEOUT`. */
export async function withDeadline<Value>(
  what: string,
  deadlineMs: number,
  endsAt: number,
  { clock, signal }: RetryContext,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  signal.throwIfAborted();
  const timing = new AbortController();
  const late = new TimeoutError(
    `${what} took longer than ${deadlineMs} ms`,
    { deadlineMs, state: what },
    { remedy: 'Look at the device; then resume the run.' },
  );
  const ending = new AbortController();
  const onAbort = (): void => timing.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  clock.sleep(Math.max(0, endsAt - clock.now()), ending.signal).then(
    () => timing.abort(late),
    () => undefined,
  );
  try {
    return await work(timing.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
    ending.abort();
  }
}

function askedDelay(error: unknown): number | undefined {
  const asked = (error as { readonly retryAfterMs?: unknown }).retryAfterMs;
  return typeof asked === 'number' ? asked : undefined;
}

function jitter({ firstDelayMs, maxDelayMs }: RetryPolicy, attempt: number, random: RandomSource): number {
  const bytes = random.bytes(4);
  const share = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32;
  return Math.floor(share * Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1)));
}
