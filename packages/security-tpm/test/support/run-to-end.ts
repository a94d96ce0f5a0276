import type { VirtualClock } from '@endorse/interface/virtual-clock';

/** Advances the clock from sleep to sleep until the promise settles. */
export async function runToEnd<T>(
  clock: VirtualClock,
  promise: Promise<T>,
): Promise<PromiseSettledResult<T>> {
  let done = false;
  const settled = Promise.allSettled([promise]).finally(() => {
    done = true;
  });
  while (!done) {
    const next = clock.nextWakeAt;
    await clock.advance(next === undefined ? 0 : next - clock.now());
  }
  return (await settled)[0];
}
