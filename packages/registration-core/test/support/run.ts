import type { VirtualClock } from '@endorse/interface/virtual-clock';

/** How a promise ended. */
export type Settled<Value> =
  | { readonly status: 'fulfilled'; readonly value: Value }
  | { readonly status: 'rejected'; readonly reason: unknown };

/** Moves the clock to its next wake-up until the promise settles; fails after `maxSteps`, so that no test hangs. */
export async function runToEnd<Value>(
  clock: VirtualClock,
  promise: Promise<Value>,
  maxSteps = 20_000,
): Promise<Settled<Value>> {
  const ends: Settled<Value>[] = [];
  promise.then(
    (value) => ends.push({ status: 'fulfilled', value }),
    (reason: unknown) => ends.push({ status: 'rejected', reason }),
  );
  for (let turn = 0; turn < maxSteps; turn += 1) {
    // A turn of the event loop drains every promise chain, however long: time stands still meanwhile.
    await new Promise((resolve) => setImmediate(resolve));
    const [end] = ends;
    if (end !== undefined) return end;
    const { nextWakeAt } = clock;
    if (nextWakeAt !== undefined) await clock.advance(Math.max(0, nextWakeAt - clock.now()));
  }
  throw new Error('the registration did not settle');
}
