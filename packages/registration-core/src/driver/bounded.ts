import type { Clock } from '@endorse/interface';

/**
 * Runs `work` with a signal that is aborted after `limitMs`, with what
 * `createTimeout` makes. Once the signal is aborted, by the limit or by the
 * caller through `controller`, `work` gets `graceMs` to settle (a TPM must be left
 * clean); after that it is abandoned and this rejects with the signal's reason.
 */
export async function runBounded<Value>(
  work: (signal: AbortSignal) => Promise<Value>,
  bounds: {
    readonly clock: Clock;
    readonly controller: AbortController;
    readonly limitMs: number | undefined;
    readonly graceMs: number;
    readonly createTimeout: (limitMs: number) => Error;
  },
): Promise<Value> {
  const { clock, controller, limitMs, graceMs, createTimeout } = bounds;
  const { signal } = controller;
  const settled = new AbortController();
  if (limitMs !== undefined) {
    clock.sleep(limitMs, settled.signal).then(
      () => controller.abort(createTimeout(limitMs)),
      () => undefined,
    );
  }
  const abandoned = new Promise<never>((_resolve, reject) => {
    onceAborted(signal, settled.signal, () => {
      clock.sleep(graceMs, settled.signal).then(
        () => reject(signal.reason),
        () => undefined,
      );
    });
  });
  try {
    return await Promise.race([work(signal), abandoned]);
  } catch (error) {
    // What a part says while it is being stopped matters less than why it was stopped.
    throw signal.aborted ? signal.reason : error;
  } finally {
    settled.abort();
  }
}

function onceAborted(signal: AbortSignal, until: AbortSignal, listener: () => void): void {
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true, signal: until });
}
