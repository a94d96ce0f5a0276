import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../src/virtual-clock.ts';

const never = (): AbortSignal => new AbortController().signal;

describe('VirtualClock', () => {
  test('stands still until it is told to move', async () => {
    const clock = new VirtualClock(1000);
    expect(clock.now()).toBe(1000);
    await clock.advance(250);
    expect(clock.now()).toBe(1250);
    expect(new VirtualClock().now()).toBe(Date.parse('2023-11-14T22:13:20Z'));
  });

  test('wakes sleepers in order of time, each at its own time', async () => {
    const clock = new VirtualClock(0);
    const woken: [string, number][] = [];
    const sleep = async (name: string, delayMs: number): Promise<void> => {
      await clock.sleep(delayMs, never());
      woken.push([name, clock.now()]);
    };
    const all = Promise.all([sleep('late', 300), sleep('early', 100), sleep('also early', 100)]);
    expect(clock.pendingSleeps).toBe(3);
    expect(clock.nextWakeAt).toBe(100);
    await clock.advance(1000);
    await all;
    expect(woken).toEqual([
      ['early', 100],
      ['also early', 100],
      ['late', 300],
    ]);
    expect(clock.now()).toBe(1000);
  });

  test('wakes within one advance whoever falls asleep because another woke', async () => {
    const clock = new VirtualClock(0);
    const ticks: number[] = [];
    const poll = async (): Promise<void> => {
      for (let round = 0; round < 4; round += 1) {
        await clock.sleep(10, never());
        ticks.push(clock.now());
      }
    };
    const polling = poll();
    await clock.advance(40);
    await polling;
    expect(ticks).toEqual([10, 20, 30, 40]);
  });

  test('does not wake anybody early', async () => {
    const clock = new VirtualClock(0);
    void clock.sleep(100, never());
    await clock.advance(99);
    expect(clock.pendingSleeps).toBe(1);
    await clock.advance(1);
    expect(clock.pendingSleeps).toBe(0);
    expect(clock.nextWakeAt).toBeUndefined();
  });

  test('takes a negative delay for none', async () => {
    const clock = new VirtualClock(0);
    const slept = clock.sleep(-5, never());
    await clock.advance(0);
    await expect(slept).resolves.toBeUndefined();
  });

  test('rejects with the reason of the signal, at once and leaving nothing behind', async () => {
    const clock = new VirtualClock(0);
    const controller = new AbortController();
    const reason = new Error('enough');
    const slept = clock.sleep(100, controller.signal);
    controller.abort(reason);
    await expect(slept).rejects.toBe(reason);
    expect(clock.pendingSleeps).toBe(0);
    await expect(clock.sleep(100, controller.signal)).rejects.toBe(reason);
    expect(clock.pendingSleeps).toBe(0);
  });

  test('is not moved by an abort after the sleep has ended', async () => {
    const clock = new VirtualClock(0);
    const controller = new AbortController();
    const slept = clock.sleep(10, controller.signal);
    await clock.advance(10);
    controller.abort();
    await expect(slept).resolves.toBeUndefined();
  });

  test.for([-1, Number.NaN])('refuses to move by %d', async (deltaMs) => {
    const clock = new VirtualClock(0);
    await expect(clock.advance(deltaMs)).rejects.toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
      argument: 'deltaMs',
    });
    expect(clock.now()).toBe(0);
  });
});
