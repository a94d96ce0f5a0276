/** What the executor tries again, and how long, on a device whose answers are written by hand. */
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { createTpmExecutor } from '@endorse/security-tpm';
import { commands } from '@endorse/tpm2';
import { describe, expect, test } from 'vitest';
import { runToEnd } from './support/run-to-end.ts';
import { createScriptedDevice } from './support/scripted-device.ts';

const random = { bytesRequested: 2 };
const rc = {
  retry: 0x922,
  yielded: 0x908,
  testing: 0x90a,
  nvRate: 0x920,
  initialize: 0x100,
  objectMemory: 0x902,
};
const startSession = { nonceCaller: new Uint8Array(16), sessionType: 'hmac', authHash: 'sha256' } as const;

describe('retries', () => {
  test.each([
    ['RETRY', rc.retry],
    ['YIELDED', rc.yielded],
    ['TESTING', rc.testing],
  ])('%s sends the identical bytes again after 1, 2, 4 … ms', async (_, code) => {
    const clock = new VirtualClock(0);
    const sentAt: number[] = [];
    const device = createScriptedDevice((_name, count) => {
      sentAt.push(clock.now());
      return count < 5 ? code : 0;
    });
    const executor = await createTpmExecutor(device, { clock });
    const outcome = await runToEnd(clock, executor.execute(commands.GetRandom, random));
    expect(outcome.status).toBe('fulfilled');
    expect(sentAt).toEqual([0, 1, 3, 7, 15]);
    expect(new Set(device.frames.map((frame) => Buffer.from(frame).toString('hex'))).size).toBe(1);
  });

  test.each([
    ['RETRY', rc.retry, 2000],
    ['TESTING', rc.testing, 10_000],
    ['NV_RATE', rc.nvRate, 30_000],
  ])('%s for ever ends in a TpmError when %i ms have been waited', async (name, code, limitMs) => {
    const clock = new VirtualClock(0);
    const device = createScriptedDevice(() => code);
    const executor = await createTpmExecutor(device, { clock });
    const outcome = await runToEnd(clock, executor.execute(commands.GetRandom, random));
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: `ERR_TPM_${name}`, retryable: true },
    });
    expect(clock.now()).toBe(limitMs);
    expect(device.names.length).toBeLessThan(20);
  });

  test('NV_RATE backs off from 100 ms to 5 s', async () => {
    const clock = new VirtualClock(0);
    const sentAt: number[] = [];
    const device = createScriptedDevice((_name, count) => {
      sentAt.push(clock.now());
      return count < 9 ? rc.nvRate : 0;
    });
    const executor = await createTpmExecutor(device, { clock });
    await runToEnd(clock, executor.execute(commands.GetRandom, random));
    expect(sentAt.map((at, index) => at - (sentAt[index - 1] ?? 0))).toEqual([
      0, 100, 200, 400, 800, 1600, 3200, 5000, 5000,
    ]);
  });

  test('an abort while waiting to send again rejects at once and sends nothing more', async () => {
    const clock = new VirtualClock(0);
    const device = createScriptedDevice(() => rc.nvRate);
    const executor = await createTpmExecutor(device, { clock });
    const controller = new AbortController();
    const running = executor.execute(commands.GetRandom, random, { signal: controller.signal });
    await expect.poll(() => clock.pendingSleeps).toBe(1);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(clock.pendingSleeps).toBe(0);
    expect(device.names).toEqual(['GetRandom']);
  });

  test('SelfTest’s own TESTING is its answer', async () => {
    const device = createScriptedDevice(() => rc.testing);
    const executor = await createTpmExecutor(device);
    await expect(executor.execute(commands.SelfTest, { fullTest: true })).rejects.toMatchObject({
      code: 'ERR_TPM_TESTING',
    });
    expect(device.names).toEqual(['SelfTest']);
  });

  test.each(['swtpm', 'mssim'] as const)('INITIALIZE starts a %s once, then sends again', async (kind) => {
    const device = createScriptedDevice(
      (name, count) => (name === 'GetRandom' && count === 1 ? rc.initialize : 0),
      {
        kind,
        resourceManaged: false,
      },
    );
    const executor = await createTpmExecutor(device);
    await executor.execute(commands.GetRandom, random);
    expect(device.names).toEqual(['GetRandom', 'Startup', 'GetRandom']);
    const stubborn = createScriptedDevice((name) => (name === 'GetRandom' ? rc.initialize : 0), { kind });
    const other = await createTpmExecutor(stubborn);
    await expect(other.execute(commands.GetRandom, random)).rejects.toMatchObject({
      code: 'ERR_TPM_INITIALIZE',
    });
    expect(stubborn.names).toEqual(['GetRandom', 'Startup', 'GetRandom']);
  });

  test.each(['linux', 'tbs'] as const)(
    'INITIALIZE is an error on %s: the firmware starts hardware',
    async (kind) => {
      const device = createScriptedDevice(() => rc.initialize, { kind });
      const executor = await createTpmExecutor(device);
      await expect(executor.execute(commands.GetRandom, random)).rejects.toMatchObject({
        code: 'ERR_TPM_INITIALIZE',
      });
      expect(device.names).toEqual(['GetRandom']);
    },
  );

  test('OBJECT_MEMORY flushes only what is ours and unused, then sends once more', async () => {
    // The flush at the end of the first section is refused twice, so that its session stays behind.
    let refusals = 2;
    const device = createScriptedDevice((name, count) => {
      if (name === 'FlushContext' && refusals > 0) {
        refusals -= 1;
        return 0x101;
      }
      return name === 'GetRandom' && count < 5 ? rc.objectMemory : 0;
    });
    const executor = await createTpmExecutor(device);
    await executor.exclusive((scope) => scope.execute(commands.StartAuthSession, startSession));
    await executor.execute(commands.GetRandom, random);
    expect(device.names).toEqual([
      'StartAuthSession',
      'FlushContext',
      'FlushContext',
      'GetRandom',
      'FlushContext',
      'GetRandom',
    ]);
  });

  test('OBJECT_MEMORY is an error that names the resource manager when nothing is ours', async () => {
    const device = createScriptedDevice((name) => (name === 'GetRandom' ? rc.objectMemory : 0));
    const executor = await createTpmExecutor(device);
    const running = executor.exclusive(async (scope) => {
      await scope.execute(commands.StartAuthSession, startSession);
      await scope.execute(commands.GetRandom, random);
    });
    await expect(running).rejects.toMatchObject({
      code: 'ERR_TPM_OBJECT_MEMORY',
      remedy: expect.stringContaining('/dev/tpmrm0') as string,
    });
    // The session in use was not sacrificed for it.
    expect(device.names).toEqual(['StartAuthSession', 'GetRandom', 'FlushContext']);
  });
});
