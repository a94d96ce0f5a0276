/**
 * The protocol of the Microsoft and IBM simulators: a command port and, one above, a platform port.
 *
 *     command port    8 ‖ locality ‖ n ‖ command  →  m ‖ response ‖ 0        15 ‖ 1  →  version ‖ flags ‖ 0
 *     platform port   code  →  0        (1 power on, 11 NV on, 9 and 10 cancel on and off)
 *     both            20 ends the conversation, without an answer
 *
 * Every integer is a big-endian u32, the locality one byte. A request goes out in one write: with Nagle's algorithm
 * and delayed acknowledgements a second write would cost 40 ms.
 */
import { TpmDeviceError } from '../errors.ts';
import { createChannelDevice } from './channel-device.ts';
import type { TpmChannel } from './channel-device.ts';
import { readUint32, uint32Bytes } from './frames.ts';
import type { ResolvedOpenOptions } from './open-options.ts';
import { openSocket } from './socket-channel.ts';
import type { TpmSocket } from './socket-channel.ts';
import { simulatorBusy } from './swtpm-device.ts';
import type { TpmDevice } from './tpm-device.ts';

const signal = Object.freeze({
  powerOn: 1,
  sendCommand: 8,
  cancelOn: 9,
  cancelOff: 10,
  nvOn: 11,
  remoteHandshake: 15,
  sessionEnd: 20,
});

/** The smaller of the two simulators' limits is 3968; commands of the ceremony stay far below either. */
const maxFrameBytes = 4096;

/** How long the platform port may take for one signal, in milliseconds. */
const platformTimeoutMs = 2000;

/** Opens a simulator; switches it on first unless told otherwise. */
export async function openMssimDevice(
  target: { readonly host: string; readonly port: number; readonly platformPort: number },
  options: ResolvedOpenOptions,
): Promise<TpmDevice> {
  const { connectTimeoutMs } = options;
  const platform = { host: target.host, port: target.platformPort };
  if (options.powerOn ?? true) {
    await sendPlatformSignals(platform, [signal.powerOn, signal.nvOn], connectTimeoutMs, options.signal);
  }
  const socket = await openSocket(target, { timeoutMs: connectTimeoutMs, signal: options.signal });
  try {
    await handshake(socket, connectTimeoutMs, options.signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return createChannelDevice(createMssimChannel(socket, platform), {
    kind: 'mssim',
    resourceManaged: false,
    maxFrameBytes,
  });
}

function createMssimChannel(
  socket: TpmSocket,
  platform: { readonly host: string; readonly port: number },
): TpmChannel {
  let running: Promise<unknown> = Promise.resolve();
  return {
    exchange: (command) => {
      const response = sendCommand(socket, command);
      running = response.catch(() => undefined);
      return response;
    },
    cancel: async () => {
      await sendPlatformSignals(platform, [signal.cancelOn], platformTimeoutMs);
      await running;
      // While it stays on, every later key generation would be cancelled too.
      await sendPlatformSignals(platform, [signal.cancelOff], platformTimeoutMs);
    },
    isOpen: () => socket.isOpen(),
    destroy: async () => socket.destroy(uint32Bytes(signal.sessionEnd)),
  };
}

async function sendCommand(socket: TpmSocket, command: Uint8Array): Promise<Uint8Array> {
  const request = new Uint8Array(9 + command.byteLength);
  request.set(uint32Bytes(signal.sendCommand), 0);
  // Byte 4 is the locality: 0.
  request.set(uint32Bytes(command.byteLength), 5);
  request.set(command, 9);
  try {
    const answer = await socket.exchange(request, answerBytes);
    const length = readUint32(answer, 0);
    const acknowledgement = readUint32(answer, 4 + length);
    if (length === 0) {
      throw new TpmDeviceError('ERR_TPM_IO', 'the simulated TPM is switched off', {
        remedy: 'Leave powerOn at true, or switch the simulator on.',
      });
    }
    if (acknowledgement !== 0) {
      throw new TpmDeviceError('ERR_TPM_IO', `the simulator acknowledged with ${acknowledgement}`, {
        commandSent: true,
      });
    }
    return answer.slice(4, 4 + length);
  } finally {
    request.fill(0);
  }
}

function answerBytes(received: Uint8Array): number | undefined {
  if (received.byteLength < 4) return undefined;
  const length = readUint32(received, 0);
  if (length > maxFrameBytes) throw new Error(`response of ${length} bytes`);
  return 4 + length + 4;
}

async function handshake(
  socket: TpmSocket,
  timeoutMs: number,
  abort: AbortSignal | undefined,
): Promise<void> {
  const answer = await within(socket, uint32Bytes(signal.remoteHandshake, 1), 12, timeoutMs, abort);
  if (readUint32(answer, 8) !== 0) {
    throw new TpmDeviceError('ERR_TPM_IO', 'the simulator refused the handshake');
  }
}

async function sendPlatformSignals(
  target: { readonly host: string; readonly port: number },
  codes: readonly number[],
  timeoutMs: number,
  abort?: AbortSignal,
): Promise<void> {
  const socket = await openSocket(target, { timeoutMs, signal: abort });
  try {
    for (const code of codes) {
      const answer = await within(socket, uint32Bytes(code), 4, timeoutMs, abort);
      if (readUint32(answer, 0) !== 0) {
        throw new TpmDeviceError('ERR_TPM_IO', `the simulator refused platform signal ${code}`);
      }
    }
  } finally {
    socket.destroy(uint32Bytes(signal.sessionEnd));
  }
}

/** One exchange that ends in time: with the answer, `ERR_TPM_BUSY`, or the reason of the abort. */
function within(
  socket: TpmSocket,
  request: Uint8Array,
  bytes: number,
  timeoutMs: number,
  abort: AbortSignal | undefined,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const finish = (act: () => void): void => {
      clearTimeout(timer);
      abort?.removeEventListener('abort', onAbort);
      act();
    };
    const onAbort = (): void => finish(() => reject(abort?.reason));
    const timer = setTimeout(() => finish(() => reject(simulatorBusy(timeoutMs, undefined))), timeoutMs);
    if (abort?.aborted === true) onAbort();
    abort?.addEventListener('abort', onAbort, { once: true });
    socket
      .exchange(request, () => bytes)
      .then(
        (answer) => finish(() => resolve(answer)),
        (error: unknown) => finish(() => reject(error)),
      );
  });
}
