import { TimeoutError } from '@endorse/interface';

/** What a wait is bounded by. */
export interface WaitBounds {
  /** The wait rejects with the reason of whichever is aborted first. */
  readonly signals: readonly AbortSignal[];
  /** In milliseconds. */
  readonly timeoutMs: number;
  /** What is being attempted, for messages. */
  readonly attempted: string;
  /** What is waited for, for `TimeoutError.state`. */
  readonly state: string;
}

/** Settles a wait; later calls have no effect. */
export interface WaitOutcome<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Waits for whatever `start` sets going, but no longer than the bounds allow. Settles once and leaves neither timer nor
 * listener. Rejects with the reason of a signal, `ERR_TIMEOUT`, or what `start` rejects with.
 */
export function waitFor<Value>(
  bounds: WaitBounds,
  start: (outcome: WaitOutcome<Value>) => void,
): Promise<Value> {
  const { signals, timeoutMs, attempted, state } = bounds;
  return new Promise<Value>((resolve, reject) => {
    const release = (): void => {
      clearTimeout(timer);
      for (const [index, signal] of signals.entries()) {
        signal.removeEventListener('abort', listeners[index] as () => void);
      }
    };
    const fail = (reason: unknown): void => {
      release();
      reject(reason);
    };
    const timer = setTimeout(() => fail(timedOut(attempted, state, timeoutMs)), timeoutMs);
    const listeners = signals.map((signal) => () => fail(signal.reason));
    for (const [index, signal] of signals.entries()) {
      if (signal.aborted) {
        fail(signal.reason);
        return;
      }
      signal.addEventListener('abort', listeners[index] as () => void, { once: true });
    }
    start({
      resolve: (value) => {
        release();
        resolve(value);
      },
      reject: fail,
    });
  });
}

function timedOut(attempted: string, state: string, deadlineMs: number): TimeoutError {
  return new TimeoutError(`${attempted}: no progress within ${deadlineMs} ms (${state})`, {
    deadlineMs,
    state,
    // Every request of the device API may be repeated.
    retryable: true,
  });
}
