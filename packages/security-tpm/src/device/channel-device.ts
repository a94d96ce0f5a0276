/**
 * Everything that is the same for every way to a TPM: order, time-out, abort, closing.
 *
 * Rules a channel can rely on: one exchange at a time, only well-formed commands, none after `destroy`.
 * Rules a caller can rely on: a call settles within its time-out (plus the cancel grace), an aborted call settles
 * at once, a response is never handed to another call's command, and a channel that failed is never used again.
 */
import { settleOrAbort } from '../async/settle-or-abort.ts';
import { TpmDeviceError } from '../errors.ts';
import { assertCommandFrame, describeFrameProblem } from './tpm-device.ts';
import type { TpmDevice, TpmDeviceInfo, TransmitOptions } from './tpm-device.ts';

/** The part that differs between devices. */
export interface TpmChannel {
  /** Sends one command in a single write and resolves with one whole response. */
  exchange(command: Uint8Array): Promise<Uint8Array>;
  /** Asks the TPM to give up what it is doing; absent where nothing can. */
  cancel?(): Promise<void>;
  /** False once the peer is known to be gone. */
  isOpen(): boolean;
  /** Lets go of everything; a pending exchange then rejects. Bounded in time, never rejects. */
  destroy(): Promise<void>;
}

/** How long a cancelled command may take to answer before the channel is given up, in milliseconds. */
const cancelGraceMs = 1000;

/** Makes a device of a channel. */
export function createChannelDevice(channel: TpmChannel, info: TpmDeviceInfo): TpmDevice {
  let state: 'open' | 'lost' | 'closed' = 'open';
  let closing: Promise<void> | undefined;
  // Settles when the command in flight and everything queued before has left the channel.
  let idle: Promise<unknown> = Promise.resolve();

  const destroy = (next: 'lost' | 'closed'): Promise<void> => {
    state = state === 'closed' ? 'closed' : next;
    closing ??= channel.destroy();
    return closing;
  };

  const exchange = async (command: Uint8Array, timeoutMs: number): Promise<Uint8Array> => {
    const response = channel.exchange(command);
    try {
      const bytes = await withTimeout(response, timeoutMs, channel.cancel?.bind(channel));
      const problem = describeFrameProblem(bytes);
      if (problem !== undefined) {
        throw new TpmDeviceError('ERR_TPM_IO', `the TPM answered something that is no response: ${problem}`, {
          commandSent: true,
        });
      }
      return bytes;
    } catch (error) {
      void destroy('lost');
      throw error;
    }
  };

  const transmit = async (
    command: Uint8Array,
    { timeoutMs, signal }: TransmitOptions,
  ): Promise<Uint8Array> => {
    assertCommandFrame(command, info.maxFrameBytes);
    signal?.throwIfAborted();
    const predecessor = idle;
    // The channel may not keep a view on memory that the caller reuses or zeroes.
    const sent = Uint8Array.from(command);
    const work = predecessor.then(() => {
      if (signal?.aborted === true) return undefined;
      if (state === 'closed') throw new TpmDeviceError('ERR_TPM_CLOSED', 'the TPM device was closed');
      if (state === 'lost' || !channel.isOpen()) {
        void destroy('lost');
        throw new TpmDeviceError('ERR_TPM_IO', 'the connection to the TPM is lost');
      }
      return exchange(sent, timeoutMs);
    });
    idle = work.catch(() => undefined).finally(() => sent.fill(0));
    const response = await settleOrAbort(work, signal);
    // Only an abort before sending leaves the work without a response, and that has rejected already.
    if (response === undefined) throw signal?.reason;
    return response;
  };

  return {
    info: Object.freeze({ ...info }),
    transmit,
    ...(channel.cancel === undefined ? {} : { cancel: () => channel.cancel?.() ?? Promise.resolve() }),
    close: () => destroy('closed'),
  };
}

async function withTimeout(
  response: Promise<Uint8Array>,
  timeoutMs: number,
  cancel: (() => Promise<void>) | undefined,
): Promise<Uint8Array> {
  // The loser of a race must not surface as an unhandled rejection.
  response.catch(() => undefined);
  if ((await settlesWithin(response, timeoutMs)) || cancel === undefined) {
    return expireAfter(response, timeoutMs);
  }
  // A cancelled command still answers (with TPM_RC_CANCELED, or with its result when it was about to end).
  cancel().catch(() => undefined);
  await settlesWithin(response, cancelGraceMs);
  return expireAfter(response, timeoutMs);
}

/** The response if it is there, else the time-out error. */
async function expireAfter(response: Promise<Uint8Array>, timeoutMs: number): Promise<Uint8Array> {
  const pending = Symbol('pending');
  const settled = await Promise.race([response, Promise.resolve(pending)]);
  if (typeof settled !== 'symbol') return settled;
  throw new TpmDeviceError('ERR_TPM_TIMEOUT', `the TPM did not answer within ${timeoutMs} ms`, {
    commandSent: true,
    remedy: 'Check that nobody else holds the TPM; raise the time-out factor for a slow chip.',
  });
}

function settlesWithin(response: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    response.then(done, done);
  });
}
