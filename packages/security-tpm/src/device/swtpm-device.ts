import { TpmDeviceError } from '../errors.ts';
import { createChannelDevice } from './channel-device.ts';
import { responseFrameBytes } from './frames.ts';
import type { ResolvedOpenOptions } from './open-options.ts';
import { openSocket } from './socket-channel.ts';
import type { SocketTarget, TpmSocket } from './socket-channel.ts';
import type { TpmDevice } from './tpm-device.ts';

/** swtpm takes and gives at most this much, whatever a TPM behind it says. */
const maxFrameBytes = 4096;

/** TPM2_GetCapability(TPM_CAP_TPM_PROPERTIES, TPM_PT_FAMILY_INDICATOR, 1): changes nothing, answers in any state. */
const probe = Uint8Array.from([
  0x80, 0x01, 0, 0, 0, 0x16, 0, 0, 0x01, 0x7a, 0, 0, 0, 0x06, 0, 0, 0x01, 0, 0, 0, 0, 0x01,
]);

/**
 * Opens the data channel of an swtpm: bare commands and responses, no framing.
 *
 * swtpm does not reassemble a command, hence one write each. It accepts a second client at once but serves it only
 * when the first has left, and would then execute whatever was sent meanwhile: so a harmless question goes first,
 * and no answer in time is `ERR_TPM_BUSY`.
 */
export async function openSwtpmDevice(
  target: SocketTarget,
  options: ResolvedOpenOptions,
): Promise<TpmDevice> {
  const socket = await openSocket(target, { timeoutMs: options.connectTimeoutMs, signal: options.signal });
  const device = createChannelDevice(
    {
      exchange: (command) => exchange(socket, command),
      isOpen: () => socket.isOpen(),
      destroy: async () => socket.destroy(),
    },
    { kind: 'swtpm', resourceManaged: false, maxFrameBytes },
  );
  try {
    await device.transmit(probe, { timeoutMs: options.connectTimeoutMs, signal: options.signal });
    return device;
  } catch (error) {
    await device.close();
    throw error instanceof TpmDeviceError && error.code === 'ERR_TPM_TIMEOUT'
      ? simulatorBusy(options.connectTimeoutMs, error)
      : error;
  }
}

/** The error for a simulator that accepts but does not answer. */
export function simulatorBusy(timeoutMs: number, cause: unknown): TpmDeviceError {
  return new TpmDeviceError(
    'ERR_TPM_BUSY',
    `the simulator did not answer within ${timeoutMs} ms of connecting`,
    {
      cause,
      remedy: 'A simulator serves one client at a time: close the other one.',
    },
  );
}

function exchange(socket: TpmSocket, command: Uint8Array): Promise<Uint8Array> {
  return socket.exchange(command, (received) => responseFrameBytes(received, maxFrameBytes));
}
