import type { TpmDevice, TpmDeviceInfo, TransmitOptions } from '@endorse/security-tpm';
import { commandName } from '@endorse/tpm2';
import { commandCodeOf, responseOf } from './frames.ts';

/** A response, a response code, an error to reject with, or a promise of one of these. */
export type ScriptedResponse = number | Uint8Array | Error;

/** A device whose answers a test decides. */
export interface ScriptedDevice extends TpmDevice {
  /** Names of the commands that arrived, in order. */
  readonly names: string[];
  /** The frames that arrived, in order. */
  readonly frames: Uint8Array[];
  /** The time-outs that were given with them. */
  readonly timeouts: number[];
  readonly isClosed: boolean;
}

/** Makes a device that asks `answer` for every command; the default answers success without parameters. */
export function createScriptedDevice(
  answer: (name: string, count: number) => ScriptedResponse | Promise<ScriptedResponse> = () => 0,
  info: Partial<TpmDeviceInfo> = {},
): ScriptedDevice {
  const names: string[] = [];
  const frames: Uint8Array[] = [];
  const timeouts: number[] = [];
  let isClosed = false;
  return {
    info: { kind: 'custom', resourceManaged: true, maxFrameBytes: 4096, ...info },
    names,
    frames,
    timeouts,
    get isClosed() {
      return isClosed;
    },
    transmit: async (frame: Uint8Array, { timeoutMs }: TransmitOptions) => {
      const name = commandName(commandCodeOf(frame)) ?? 'unknown';
      names.push(name);
      frames.push(Uint8Array.from(frame));
      timeouts.push(timeoutMs);
      const response = await answer(name, names.length);
      if (response instanceof Error) throw response;
      return typeof response === 'number' ? responseBytes(name, response) : response;
    },
    close: async () => {
      isClosed = true;
    },
  };
}

/** The handle every creating command answers with. */
export const scriptedHandle = 0x8000_0000;

/** Plausible answers, so that the executor's own bookkeeping has something to read. */
function responseBytes(name: string, responseCode: number): Uint8Array {
  if (responseCode !== 0) return Uint8Array.from(responseOf(responseCode));
  switch (name) {
    case 'GetRandom':
      return Uint8Array.from(responseOf(0, Uint8Array.of(0, 2, 7, 7)));
    case 'GetCapability':
      // No more data, TPM_CAP_HANDLES, no handle.
      return Uint8Array.from(responseOf(0, Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0)));
    case 'StartAuthSession':
      return Uint8Array.from(responseOf(0, Buffer.from(`020000000010${'11'.repeat(16)}`, 'hex')));
    default:
      return Uint8Array.from(responseOf(0));
  }
}
