/** The executor on a device whose answers are written by hand: order, bounds, aborts, losses, traces. */
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { TpmDeviceError, commandTimeoutsMs, createTpmExecutor } from '@endorse/security-tpm';
import type { TpmTrace } from '@endorse/security-tpm';
import { commands } from '@endorse/tpm2';
import { describe, expect, test } from 'vitest';
import { runToEnd } from './support/run-to-end.ts';
import { createScriptedDevice } from './support/scripted-device.ts';

const random = { bytesRequested: 2 };
const rc = { retry: 0x922 };
const startSession = { nonceCaller: new Uint8Array(16), sessionType: 'hmac', authHash: 'sha256' } as const;

describe('time-outs', () => {
  test('each class has its own, multiplied by the factor; one command may have another', async () => {
    const device = createScriptedDevice();
    const executor = await createTpmExecutor(device, { timeoutFactor: 2 });
    await executor.execute(commands.GetRandom, random);
    await executor.execute(commands.StartAuthSession, startSession);
    await executor.execute(commands.GetRandom, random, { timeoutMs: 7 });
    expect(device.timeouts).toEqual([
      2 * commandTimeoutsMs[commands.GetRandom.timeoutClass],
      2 * commandTimeoutsMs[commands.StartAuthSession.timeoutClass],
      7,
    ]);
    expect(commandTimeoutsMs.keyGeneration).toBe(300_000);
  });

  test.each([
    [{ timeoutFactor: 0 }],
    [{ timeoutFactor: Number.NaN }],
    [{ timeoutFactor: 1000 }],
    [{ maxWaiting: 0 }],
    [{ retry: { resendDelayMs: 0 } }],
    [{ retry: { backOffForMs: Number.POSITIVE_INFINITY } }],
  ])('%j is out of range', async (options) => {
    await expect(createTpmExecutor(createScriptedDevice(), options)).rejects.toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
  });
});

describe('the queue', () => {
  test('runs one at a time, in order, and an exclusive section is not interrupted', async () => {
    const device = createScriptedDevice();
    const executor = await createTpmExecutor(device);
    await Promise.all([
      executor.exclusive(async (scope) => {
        await scope.execute(commands.GetRandom, random);
        await new Promise((resolve) => setImmediate(resolve));
        await scope.execute(commands.GetRandom, random);
      }),
      executor.execute(commands.SelfTest, { fullTest: false }),
      executor.execute(commands.GetRandom, random),
    ]);
    expect(device.names).toEqual(['GetRandom', 'GetRandom', 'SelfTest', 'GetRandom']);
  });

  test('is bounded', async () => {
    const device = createScriptedDevice(() => new Promise<number>(() => undefined));
    const executor = await createTpmExecutor(device, { maxWaiting: 2 });
    const [, second, third, fourth] = [1, 2, 3, 4].map(() => executor.execute(commands.GetRandom, random));
    await expect(fourth).rejects.toMatchObject({ code: 'ERR_TPM_QUEUE_FULL', retryable: true });
    expect(device.names).toHaveLength(1);
    for (const waiting of [second, third]) waiting?.catch(() => undefined);
  });

  test('does not wait for ever', async () => {
    const device = createScriptedDevice(() => new Promise<number>(() => undefined));
    const executor = await createTpmExecutor(device, { queueTimeoutMs: 10 });
    void executor.execute(commands.GetRandom, random).catch(() => undefined);
    await expect(executor.execute(commands.GetRandom, random)).rejects.toMatchObject({
      code: 'ERR_TPM_BUSY',
    });
  });

  test('an abort while waiting sends nothing', async () => {
    let release = (): void => undefined;
    const device = createScriptedDevice(
      () =>
        new Promise<number>((resolve) => {
          release = () => resolve(0);
        }),
    );
    const executor = await createTpmExecutor(device);
    const first = executor.execute(commands.GetRandom, random);
    const controller = new AbortController();
    const second = executor.execute(commands.GetRandom, random, { signal: controller.signal });
    const reason = new Error('left the queue');
    controller.abort(reason);
    await expect(second).rejects.toBe(reason);
    release();
    await first;
    expect(device.names).toEqual(['GetRandom']);
  });

  test('closing fails what waits and what comes later, and lets the running section end', async () => {
    const device = createScriptedDevice();
    const executor = await createTpmExecutor(device);
    const running = executor.exclusive(async (scope) => {
      await scope.execute(commands.StartAuthSession, startSession);
      await new Promise((resolve) => setImmediate(resolve));
      return 'ended';
    });
    const waiting = executor.execute(commands.GetRandom, random);
    const closed = executor.close();
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_TPM_CLOSED' });
    expect(await running).toBe('ended');
    await closed;
    await expect(executor.execute(commands.GetRandom, random)).rejects.toMatchObject({
      code: 'ERR_TPM_CLOSED',
    });
    expect(device.names).toEqual(['StartAuthSession', 'FlushContext']);
    // A device that was given stays its owner's.
    expect(device.isClosed).toBe(false);
  });
});

describe('an abort while a command is under way', () => {
  test('rejects at once, and the next command waits for the answer', async () => {
    const answers: ((code: number) => void)[] = [];
    const device = createScriptedDevice(() => new Promise<number>((resolve) => answers.push(resolve)));
    const executor = await createTpmExecutor(device);
    const controller = new AbortController();
    const aborted = executor.execute(commands.GetRandom, random, { signal: controller.signal });
    await expect.poll(() => device.names).toHaveLength(1);
    const reason = new Error('changed my mind');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    const next = executor.execute(commands.GetRandom, random);
    expect(device.names).toHaveLength(1);
    answers[0]?.(0);
    await expect.poll(() => device.names).toHaveLength(2);
    answers[1]?.(0);
    await next;
  });

  test('while the executor looks around before it: nothing is sent', async () => {
    const controller = new AbortController();
    const reason = new Error('just in time');
    const device = createScriptedDevice(
      (name) => {
        if (name === 'GetCapability') controller.abort(reason);
        return 0;
      },
      { resourceManaged: false },
    );
    const executor = await createTpmExecutor(device);
    await expect(
      executor.execute(commands.StartAuthSession, startSession, { signal: controller.signal }),
    ).rejects.toBe(reason);
    await executor.close();
    expect(device.names).toEqual(['GetCapability', 'GetCapability']);
  });

  test('flushes what the command creates after all', async () => {
    const answers: ((code: number) => void)[] = [];
    const device = createScriptedDevice((name) =>
      name === 'FlushContext' ? 0 : new Promise<number>((resolve) => answers.push(resolve)),
    );
    const executor = await createTpmExecutor(device);
    const controller = new AbortController();
    const aborted = executor.execute(commands.StartAuthSession, startSession, { signal: controller.signal });
    await expect.poll(() => device.names).toHaveLength(1);
    controller.abort(new Error('changed my mind'));
    await expect(aborted).rejects.toThrow('changed my mind');
    answers[0]?.(0);
    await expect.poll(() => device.names).toEqual(['StartAuthSession', 'FlushContext']);
    expect(Buffer.from(device.frames[1] ?? []).readUInt32BE(10)).toBe(0x0200_0000);
  });

  test('cancels a key generation where the device can', async () => {
    let cancelled = 0;
    let finish = (): void => undefined;
    const device = createScriptedDevice(
      () =>
        new Promise<number>((resolve) => {
          finish = () => resolve(0x909);
        }),
    );
    const executor = await createTpmExecutor({
      ...device,
      cancel: async () => {
        cancelled += 1;
        finish();
      },
    });
    const controller = new AbortController();
    const running = executor.execute(
      commands.CreatePrimary,
      { primaryHandle: 0x4000_0001, inPublic: (await import('@endorse/tpm2')).srkTemplateRsa2048 },
      { signal: controller.signal },
    );
    await expect.poll(() => device.names).toContain('CreatePrimary');
    controller.abort(new Error('too slow'));
    await expect(running).rejects.toThrow('too slow');
    await executor.close();
    expect(cancelled).toBe(1);
  });

  test('an exclusive section that does not end is left behind after the grace', async () => {
    const device = createScriptedDevice(() => new Promise<number>(() => undefined));
    const executor = await createTpmExecutor(device);
    const controller = new AbortController();
    const running = executor.exclusive((scope) => scope.execute(commands.GetRandom, random), {
      signal: controller.signal,
      abortGraceMs: 5,
    });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });
});

describe('a lost connection', () => {
  const lost = (commandSent: boolean): TpmDeviceError =>
    new TpmDeviceError('ERR_TPM_IO', 'lost', { commandSent });

  test('is opened again for the next command', async () => {
    const devices = [createScriptedDevice(() => lost(true)), createScriptedDevice()];
    let opened = 0;
    const executor = await createTpmExecutor(async () => devices[opened++] ?? createScriptedDevice());
    await expect(executor.execute(commands.SelfTest, { fullTest: false })).rejects.toMatchObject({
      code: 'ERR_TPM_IO',
    });
    expect(devices[0]?.isClosed).toBe(true);
    await executor.execute(commands.SelfTest, { fullTest: false });
    expect(devices[1]?.names).toEqual(['SelfTest']);
    await executor.close();
    expect(devices[1]?.isClosed).toBe(true);
  });

  test.each([
    ['a command that changes nothing', commands.GetRandom, random, true],
    ['a command that was not sent', commands.SelfTest, { fullTest: false }, false],
  ])('%s is sent again, once', async (_, command, request, commandSent) => {
    let opened = 0;
    const devices = [
      createScriptedDevice(() => lost(commandSent)),
      createScriptedDevice(() => (opened === 2 ? 0 : lost(commandSent))),
    ];
    const executor = await createTpmExecutor(async () => devices[opened++] ?? createScriptedDevice());
    await executor.execute(command as typeof commands.GetRandom, request as typeof random);
    expect(devices.map(({ names }) => names.length)).toEqual([1, 1]);
    const gone = await createTpmExecutor(async () => createScriptedDevice(() => lost(commandSent)));
    await expect(
      gone.execute(command as typeof commands.GetRandom, request as typeof random),
    ).rejects.toMatchObject({ code: 'ERR_TPM_IO' });
  });

  test('opening again is tried for a while when the simulator is on its way up', async () => {
    const clock = new VirtualClock(0);
    let opened = 0;
    const executor = await createTpmExecutor(
      async () => {
        opened += 1;
        if (opened === 1) return createScriptedDevice(() => lost(true));
        if (opened < 5) throw new TpmDeviceError('ERR_TPM_UNREACHABLE', 'not yet');
        return createScriptedDevice();
      },
      { clock },
    );
    const outcome = await runToEnd(clock, executor.execute(commands.GetRandom, random));
    expect(outcome.status).toBe('fulfilled');
    expect(clock.now()).toBe(10 + 20 + 40);
  });

  test('and no longer than that', async () => {
    const clock = new VirtualClock(0);
    let opened = 0;
    const executor = await createTpmExecutor(
      async () => {
        opened += 1;
        if (opened === 1) return createScriptedDevice(() => lost(true));
        throw new TpmDeviceError('ERR_TPM_UNREACHABLE', 'never');
      },
      { clock },
    );
    const outcome = await runToEnd(clock, executor.execute(commands.GetRandom, random));
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ERR_TPM_UNREACHABLE' } });
    expect(clock.now()).toBeLessThanOrEqual(2000);
  });

  test('a foreign device’s own error is converted once, with its cause', async () => {
    const cause = new Error('ioctl failed');
    const executor = await createTpmExecutor(createScriptedDevice(() => cause));
    await expect(executor.execute(commands.SelfTest, { fullTest: false })).rejects.toMatchObject({
      code: 'ERR_TPM_IO',
      commandSent: true,
      cause,
    });
  });
});

describe('traces', () => {
  test('tell of every submission its name, duration, code, attempt and time, and nothing else', async () => {
    const traces: TpmTrace[] = [];
    const clock = new VirtualClock(5000);
    const device = createScriptedDevice((_name, count) => (count === 1 ? rc.retry : 0));
    const executor = await createTpmExecutor(device, { clock, onTrace: (trace) => traces.push(trace) });
    await runToEnd(clock, executor.execute(commands.GetRandom, random));
    expect(traces).toEqual([
      {
        command: 'GetRandom',
        responseCode: rc.retry,
        attempt: 1,
        at: 5000,
        durationMs: expect.any(Number) as number,
      },
      {
        command: 'GetRandom',
        responseCode: 0,
        attempt: 2,
        at: 5001,
        durationMs: expect.any(Number) as number,
      },
    ]);
  });

  test('a command without an answer has the code -1', async () => {
    const traces: TpmTrace[] = [];
    const device = createScriptedDevice(
      () => new TpmDeviceError('ERR_TPM_TIMEOUT', 'late', { commandSent: true }),
    );
    const executor = await createTpmExecutor(device, { onTrace: (trace) => traces.push(trace) });
    await expect(executor.execute(commands.SelfTest, { fullTest: false })).rejects.toMatchObject({
      code: 'ERR_TPM_TIMEOUT',
    });
    expect(traces).toMatchObject([{ command: 'SelfTest', responseCode: -1 }]);
  });

  test('a listener that throws costs nothing', async () => {
    const executor = await createTpmExecutor(createScriptedDevice(), {
      onTrace: () => {
        throw new Error('listener is broken');
      },
    });
    await executor.execute(commands.GetRandom, random);
  });
});

test('a scope that has ended refuses further commands', async () => {
  const executor = await createTpmExecutor(createScriptedDevice());
  const scope = await executor.exclusive(async (current) => current);
  await expect(scope.execute(commands.GetRandom, random)).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  });
});
