import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualClock } from '../src/virtual-clock.ts';

test('sleepers wake at exactly their time, in order, however time is cut up', async () => {
  const delays = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 12 });
  const steps = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(delays, steps, async (delaysMs, stepsMs) => {
      const clock = new VirtualClock(0);
      const woken: { at: number; delayMs: number }[] = [];
      for (const delayMs of delaysMs) {
        void clock
          .sleep(delayMs, new AbortController().signal)
          .then(() => woken.push({ at: clock.now(), delayMs }));
      }
      for (const stepMs of stepsMs) await clock.advance(stepMs);
      const total = stepsMs.reduce((sum, stepMs) => sum + stepMs, 0);
      const due = stepsMs.length === 0 ? [] : delaysMs.filter((delayMs) => delayMs <= total);
      expect(woken.map(({ at }) => at)).toEqual(due.toSorted((a, b) => a - b));
      expect(woken.every(({ at, delayMs }) => at === delayMs)).toBe(true);
      expect(clock.pendingSleeps).toBe(delaysMs.length - due.length);
      expect(clock.now()).toBe(total);
    }),
  );
});
