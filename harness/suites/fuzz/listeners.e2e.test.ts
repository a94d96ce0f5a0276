/**
 * Whatever a client writes, a listener lives: the connection ends or goes on within its time, no answer is a 5xx, the
 * next client is served, and neither sockets nor memory are left over. An exception or a rejection that nobody handles
 * fails the run. What is written are sessions of real clients, damaged, and no sessions at all.
 */
import { createFuzzGroup } from '@endorse/fuzzing';
import { afterAll, expect, test } from 'vitest';
import { discoveryListeners } from '../../support/fuzz/discovery-listeners.ts';
import { emulatorListeners } from '../../support/fuzz/emulator-listeners.ts';
import { heapBytes } from '../../support/fuzz/listener.ts';
import { registrarListeners } from '../../support/fuzz/registrar-listeners.ts';
import { openSockets } from '../device-fixture.ts';

const group = createFuzzGroup('listeners', [
  ...emulatorListeners,
  ...registrarListeners,
  ...discoveryListeners,
]);

/** Least number of sessions for each. */
const batchRuns = 10;
/** What a listener may remember of its clients: records, logs and caches with bounds of their own. */
const maxGrowthBytes = 64 * 2 ** 20;

test.each(group.targets)(
  '$name',
  async (target) => {
    const sockets = openSockets();
    {
      await using listener = await target.start();
      const before = heapBytes();
      await group.run(target, batchRuns, listener.property);
      await listener.serveOne();
      expect(heapBytes() - before).toBeLessThan(maxGrowthBytes);
    }
    await expect.poll(openSockets).toBeLessThanOrEqual(sockets);
  },
  group.timeoutMs,
);

afterAll(() => group.report());
