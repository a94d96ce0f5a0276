/** Order, abort and time-out, the same for every device; shown on a Linux device whose answers the test releases. */
import { openTpmDevice } from '@endorse/security-tpm';
import type { TpmDevice } from '@endorse/security-tpm';
import { describe, expect, test, vi } from 'vitest';
import { getRandom4, responseOf } from './support/frames.ts';

interface HeldDevice {
  readonly device: TpmDevice;
  /** First bytes after the header of each command that reached the TPM. */
  readonly sent: number[];
  /** Answers the oldest unanswered command. */
  answer(value: number): void;
}

async function openHeldDevice(): Promise<HeldDevice> {
  const sent: number[] = [];
  const waiting: ((response: Uint8Array) => void)[] = [];
  const device = await openTpmDevice('device:', {
    fileSystem: {
      open: async () => ({
        write: async (buffer, _offset, length) => {
          sent.push(buffer[11] ?? 0);
          return { bytesWritten: length };
        },
        read: async (buffer) => {
          const response = await new Promise<Uint8Array>((resolve) => waiting.push(resolve));
          buffer.set(response);
          return { bytesRead: response.byteLength };
        },
        close: async () => undefined,
      }),
    },
  });
  return { device, sent, answer: (value) => waiting.shift()?.(responseOf(0, Uint8Array.of(0, 1, value))) };
}

const commandOf = (value: number): Uint8Array => Uint8Array.from([...getRandom4.subarray(0, 11), value]);
const valueOf = (response: Uint8Array): number | undefined => response[12];

describe('a device', () => {
  test('serves concurrent commands in order and gives each its own answer', async () => {
    const held = await openHeldDevice();
    const first = held.device.transmit(commandOf(1), { timeoutMs: 1000 });
    const second = held.device.transmit(commandOf(2), { timeoutMs: 1000 });
    await expect.poll(() => held.sent).toEqual([1]);
    held.answer(11);
    expect(valueOf(await first)).toBe(11);
    await expect.poll(() => held.sent).toEqual([1, 2]);
    held.answer(12);
    expect(valueOf(await second)).toBe(12);
  });

  test('sends nothing for a command that was aborted before its turn', async () => {
    const held = await openHeldDevice();
    const reason = new Error('not needed any more');
    const controller = new AbortController();
    const first = held.device.transmit(commandOf(1), { timeoutMs: 1000 });
    const second = held.device.transmit(commandOf(2), { timeoutMs: 1000, signal: controller.signal });
    controller.abort(reason);
    await expect(second).rejects.toBe(reason);
    await expect(
      held.device.transmit(commandOf(3), { timeoutMs: 1000, signal: controller.signal }),
    ).rejects.toBe(reason);
    held.answer(11);
    await first;
    const fourth = held.device.transmit(commandOf(4), { timeoutMs: 1000 });
    await expect.poll(() => held.sent).toEqual([1, 4]);
    held.answer(14);
    expect(valueOf(await fourth)).toBe(14);
  });

  test('drains the answer of an aborted command before the next one is sent', async () => {
    const held = await openHeldDevice();
    const reason = new Error('changed my mind');
    const controller = new AbortController();
    const aborted = held.device.transmit(commandOf(1), { timeoutMs: 1000, signal: controller.signal });
    await expect.poll(() => held.sent).toEqual([1]);
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    const next = held.device.transmit(commandOf(2), { timeoutMs: 1000 });
    expect(held.sent).toEqual([1]);
    held.answer(11);
    await expect.poll(() => held.sent).toEqual([1, 2]);
    held.answer(12);
    expect(valueOf(await next)).toBe(12);
  });

  test('measures the time-out from submission, not from the wait for a turn', async () => {
    const held = await openHeldDevice();
    vi.useFakeTimers();
    try {
      const first = held.device.transmit(commandOf(1), { timeoutMs: 5000 });
      const second = held.device.transmit(commandOf(2), { timeoutMs: 40 });
      await vi.advanceTimersByTimeAsync(1000);
      held.answer(11);
      await first;
      await vi.advanceTimersByTimeAsync(39);
      expect(held.sent).toEqual([1, 2]);
      held.answer(12);
      expect(valueOf(await second)).toBe(12);
    } finally {
      vi.useRealTimers();
    }
  });

  test.each([
    ['no bytes', new Uint8Array(0)],
    ['a header that lies about the length', Uint8Array.from([...getRandom4, 0])],
    ['a foreign tag', Uint8Array.from([0x00, 0xc1, ...getRandom4.subarray(2)])],
    ['more than the device takes', new Uint8Array(5000)],
  ])('refuses %s before any IO', async (_, command) => {
    const held = await openHeldDevice();
    await expect(held.device.transmit(command, { timeoutMs: 10 })).rejects.toMatchObject({
      argument: 'command',
    });
    expect(held.sent).toEqual([]);
  });

  test('fails what waits when it is closed, and what comes later', async () => {
    const held = await openHeldDevice();
    const first = held.device.transmit(commandOf(1), { timeoutMs: 1000 });
    await expect.poll(() => held.sent).toEqual([1]);
    const second = held.device.transmit(commandOf(2), { timeoutMs: 1000 });
    const closed = held.device.close();
    held.answer(11);
    await first;
    await expect(second).rejects.toMatchObject({ code: 'ERR_TPM_CLOSED' });
    await closed;
    await held.device.close();
    expect(held.sent).toEqual([1]);
  });
});
