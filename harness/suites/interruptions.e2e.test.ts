/**
 * A registration over HTTPS with swtpm, interrupted at every point it passes: after each
 * TPM command and each step it reports. Whatever the point: one outcome, the expected one;
 * the TPM holds what it held before; no socket is left; the next registration works.
 */
import type { Clock } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import type { RegisterOptions } from '@endorse/registration-core';
import { register } from '@endorse/registration-core';
import { createHttpTransport } from '@endorse/transport-http';
import { expect, test } from 'vitest';
import type { DeviceFixture } from './device-fixture.ts';
import { openSockets, startDevice } from './device-fixture.ts';

/** Calls `onPoint` with the number of each point a registration passes; resolves as the registration does. */
async function registerPastPoints(
  device: DeviceFixture,
  onPoint: (point: number) => void,
  options: Partial<RegisterOptions> = {},
): Promise<unknown> {
  let point = 0;
  const pass = (): void => onPoint(point++);
  const securityClient = await device.openTpm({ onTrace: pass });
  try {
    return await register({
      provisioningHost: device.emulator.provisioningHost,
      idScope: device.emulator.idScope,
      transport: createHttpTransport({ ca: device.emulator.caPem }),
      securityClient,
      onProgress: pass,
      ...options,
    });
  } finally {
    await securityClient.close();
  }
}

async function countPoints(device: DeviceFixture): Promise<number> {
  let points = 0;
  await registerPastPoints(device, (point) => {
    points = point + 1;
  });
  return points;
}

/** The last points come after the outcome is decided; an interruption there may lose the race, and is then no interruption. */
function isAssigned(outcome: unknown): boolean {
  return typeof outcome === 'object' && outcome !== null && 'assignedHub' in outcome;
}

async function interruptEverywhere(
  device: DeviceFixture,
  interruptAt: (point: number) => Promise<unknown>,
  isExpected: (outcome: unknown) => boolean,
): Promise<{ readonly points: number; readonly interrupted: number }> {
  const points = await countPoints(device);
  const held = await device.heldBesideIdentityKey();
  const sockets = openSockets();
  let interrupted = 0;
  for (let point = 0; point < points; point += 1) {
    const outcome = await interruptAt(point);
    if (isExpected(outcome)) interrupted += 1;
    else expect(outcome, `point ${point}`).toSatisfy(isAssigned);
    expect(await device.heldBesideIdentityKey(), `point ${point}`).toEqual(held);
    expect(openSockets(), `point ${point}`).toBe(sockets);
  }
  expect(isAssigned(await registerPastPoints(device, () => undefined))).toBe(true);
  return { points, interrupted };
}

test('cancelling at every TPM command and every step rejects with the reason and leaves nothing behind', async () => {
  await using device = await startDevice();
  const reason = new Error('cancelled by the test');
  const { points, interrupted } = await interruptEverywhere(
    device,
    (target) => {
      const controller = new AbortController();
      return registerPastPoints(
        device,
        (point) => {
          if (point === target) controller.abort(reason);
        },
        { signal: controller.signal },
      ).catch((error: unknown) => error);
    },
    (outcome) => outcome === reason,
  );
  expect(points).toBeGreaterThan(25);
  // Too late are only the two reports that follow the last piece of work: the hub key is active, the device is assigned.
  expect(points - interrupted).toBeLessThanOrEqual(2);
});

test('a deadline that passes at every TPM command and every step is ERR_TIMEOUT and leaves nothing behind', async () => {
  await using device = await startDevice();
  const deadlineMs = 86_399_999;
  const { points, interrupted } = await interruptEverywhere(
    device,
    (target) => {
      const deadline = Promise.withResolvers<void>();
      return registerPastPoints(
        device,
        (point) => {
          if (point === target) deadline.resolve();
        },
        { deadlineMs, clock: clockWithDeadline(deadlineMs, deadline.promise) },
      ).catch((error: unknown) => error);
    },
    (outcome) => (outcome as { code?: unknown }).code === 'ERR_TIMEOUT',
  );
  expect(points).toBeGreaterThan(25);
  // The deadline is noticed a turn later than an abort, so a step that needs no IO may still win.
  expect(points - interrupted).toBeLessThanOrEqual(3);
});

/** The system's clock, but for the one sleep that is the deadline: that ends when the test says so. */
function clockWithDeadline(deadlineMs: number, passed: Promise<void>): Clock {
  return {
    now: () => systemClock.now(),
    sleep: (delayMs, signal) => {
      if (delayMs !== deadlineMs) return systemClock.sleep(delayMs, signal);
      const aborted = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => aborted.reject(signal.reason), { once: true });
      return Promise.race([passed, aborted.promise]);
    },
  };
}
