import { RemoteProtocolError } from '@endorse/interface';
import type { ChannelEndpoint } from './address.ts';
import { openChannel } from './channel.ts';
import { responseCode, responseLength } from './raw-command.ts';

/** Sends one TPM command and returns the whole response, whatever its code. */
export type TransmitRaw = (command: Uint8Array) => Promise<Uint8Array>;

/** Runs something on a connection of its own to the data channel; closed on every path. */
export async function withRawTpm<T>(
  endpoint: ChannelEndpoint,
  signal: AbortSignal,
  run: (transmit: TransmitRaw) => Promise<T>,
): Promise<T> {
  const channel = await openChannel(endpoint, signal);
  try {
    return await run((command) => channel.exchange(command, responseLength, signal));
  } finally {
    channel.close();
  }
}

/** Sends a command that has to succeed. Rejects with `ERR_REMOTE_UNEXPECTED` for any other response code. */
export async function transmitOk(
  transmit: TransmitRaw,
  command: Uint8Array,
  purpose: string,
): Promise<Uint8Array> {
  const response = await transmit(command);
  const code = responseCode(response);
  if (code !== 0) {
    throw new RemoteProtocolError(
      'ERR_REMOTE_UNEXPECTED',
      `the simulator refused to ${purpose}: response code 0x${code.toString(16).padStart(3, '0')}`,
    );
  }
  return response;
}
