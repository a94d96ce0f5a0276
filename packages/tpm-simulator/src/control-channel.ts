import { RemoteProtocolError } from '@endorse/interface';
import type { ChannelEndpoint } from './address.ts';
import { openChannel } from './channel.ts';

/** Requests of swtpm's control channel (swtpm_ioctls(3)); each answer starts with a u32 result, 0 for success. */
export interface ControlRequests {
  /** Powers the TPM on (again), forgetting its volatile state; it then waits for TPM2_Startup. */
  readonly init: Uint8Array;
  /** Powers the TPM off; the process goes on. */
  readonly stop: Uint8Array;
  readonly cancel: Uint8Array;
  readonly hashStart: Uint8Array;
  readonly hashEnd: Uint8Array;
  hashData(data: Uint8Array): Uint8Array;
  setLocality(locality: number): Uint8Array;
}

/** {@link ControlRequests} as bytes. */
export const control: ControlRequests = {
  init: request(0x02, u32(1)),
  stop: request(0x0e),
  cancel: request(0x09),
  hashStart: request(0x06),
  hashEnd: request(0x08),
  hashData: (data) => request(0x07, u32(data.length), data),
  setLocality: (locality) => request(0x05, new Uint8Array([locality])),
};

const resultBytes = 4;

/** Sends one request on a connection of its own. Rejects with `ERR_REMOTE_UNEXPECTED` when swtpm refuses. */
export async function sendControl(
  endpoint: ChannelEndpoint,
  message: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const channel = await openChannel(endpoint, signal);
  try {
    const answer = await channel.exchange(message, () => resultBytes, signal);
    const result = new DataView(answer.buffer, answer.byteOffset).getUint32(0);
    if (result !== 0) {
      throw new RemoteProtocolError(
        'ERR_REMOTE_UNEXPECTED',
        `swtpm refused a control request: result 0x${result.toString(16)}`,
      );
    }
  } finally {
    channel.close();
  }
}

function request(code: number, ...body: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([u32(code), ...body]);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
