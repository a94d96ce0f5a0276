import { TimeoutError } from '@endorse/interface';

/** What bounds a piece of work. */
export interface Bound {
  /** Undefined where the work bounds itself. */
  readonly timeoutMs: number | undefined;
  /** What is being attempted, for the message of the time-out. */
  readonly attempted: string;
  readonly signals: readonly AbortSignal[];
  /** Runs when the work is cut short, before the promise rejects. */
  readonly onCut: () => void;
}

/**
 * Settles as `work` does, or rejects with the reason of an aborted signal or `ERR_TIMEOUT`, whichever comes first.
 * Leaves no timer and no listener. What the work does after it was cut is nobody's business any more.
 */
export function cutShort<Value>(work: () => Promise<Value>, bound: Bound): Promise<Value> {
  return new Promise((resolve, reject) => {
    const aborted = bound.signals.find((signal) => signal.aborted);
    if (aborted !== undefined) {
      reject(aborted.reason);
      return;
    }
    const cut = (reason: unknown): void => {
      release();
      bound.onCut();
      reject(reason);
    };
    const { timeoutMs } = bound;
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => cut(timedOut(bound, timeoutMs)), timeoutMs);
    const listeners = bound.signals.map((signal) => {
      const listener = (): void => cut(signal.reason);
      signal.addEventListener('abort', listener, { once: true });
      return { signal, listener };
    });
    const release = (): void => {
      clearTimeout(timer);
      for (const { signal, listener } of listeners) signal.removeEventListener('abort', listener);
    };
    work().finally(release).then(resolve, reject);
  });
}

function timedOut({ attempted }: Bound, timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `${attempted}: no answer within ${timeoutMs} ms`,
    { deadlineMs: timeoutMs, state: 'awaiting-reply', retryable: true },
    { remedy: 'Check that the gateway is up and not overloaded, then try again.' },
  );
}
