import { getActiveResourcesInfo } from 'node:process';
import { describe, expect, test } from 'vitest';
import { createJsonLogger, systemClock, systemRandom } from '../src/node.ts';
import { VirtualClock } from '../src/virtual-clock.ts';

const timers = (): number => getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('systemClock', () => {
  test('tells the time of the system', () => {
    const before = Date.now();
    const now = systemClock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  test('sleeps at least as long as it is told', async () => {
    const startedAt = performance.now();
    await systemClock.sleep(5, new AbortController().signal);
    // Timers of Node.js may fire a fraction of a millisecond early.
    expect(performance.now() - startedAt).toBeGreaterThan(4);
  });

  test('rejects with the reason of the signal and leaves no timer behind', async () => {
    const before = timers();
    const controller = new AbortController();
    const slept = systemClock.sleep(60_000, controller.signal);
    expect(timers()).toBe(before + 1);
    controller.abort('enough');
    await expect(slept).rejects.toBe('enough');
    expect(timers()).toBe(before);
    await expect(systemClock.sleep(0, controller.signal)).rejects.toBe('enough');
  });

  test('does not wake at once from a sleep longer than a timer can take', async () => {
    const controller = new AbortController();
    const slept = systemClock.sleep(2 ** 40, controller.signal);
    const outcome = await Promise.race([
      slept,
      systemClock.sleep(5, new AbortController().signal).then(() => 'asleep'),
    ]);
    expect(outcome).toBe('asleep');
    controller.abort('over');
    await expect(slept).rejects.toBe('over');
  });
});

describe('systemRandom', () => {
  test('returns as many bytes as asked for, and others each time', () => {
    expect(systemRandom.bytes(0)).toHaveLength(0);
    expect(systemRandom.bytes(65_536)).toHaveLength(65_536);
    expect(systemRandom.bytes(32)).not.toEqual(systemRandom.bytes(32));
  });

  test('gives bytes that own their memory', () => {
    expect(systemRandom.bytes(8).buffer.byteLength).toBe(8);
  });

  test.for([-1, 1.5, 65_537, Number.NaN])('refuses a length of %d', (byteLength) => {
    expect(() => systemRandom.bytes(byteLength)).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }),
    );
  });
});

describe('createJsonLogger', () => {
  const clock = new VirtualClock(0);
  const collect = (): { lines: string[]; sink: { write: (text: string) => number } } => {
    const lines: string[] = [];
    return { lines, sink: { write: (text) => lines.push(text) } };
  };

  test('writes one JSON line an event', () => {
    const { lines, sink } = collect();
    createJsonLogger(sink, { clock }).log('warn', 'retry-scheduled', { attempt: 2 });
    expect(lines).toEqual([
      '{"at":"1970-01-01T00:00:00.000Z","level":"warn","event":"retry-scheduled","attempt":2}\n',
    ]);
  });

  test.for([
    [undefined, ['info', 'warn', 'error']],
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['error', ['error']],
  ] as const)('with minimum %s writes %j', ([minimumLevel, expected]) => {
    const { lines, sink } = collect();
    const logger = createJsonLogger(sink, minimumLevel === undefined ? { clock } : { clock, minimumLevel });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger.log(level, 'x');
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(expected);
  });
});
