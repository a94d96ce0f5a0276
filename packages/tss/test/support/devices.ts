import { openTpmDevice } from '@endorse/security-tpm';
import type { TpmDevice } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import type { TpmSimulator, TpmSimulatorOptions } from '@endorse/tpm-simulator';
import { createTss } from '@endorse/tss';
import type { Tpm, TssDevice, TssOptions } from '@endorse/tss';
import type { Tpm as OriginalTpm } from 'tss.js';
import { original } from './original.ts';

/** A simulator with our class on it. */
export interface Bench extends AsyncDisposable {
  readonly simulator: TpmSimulator;
  readonly tpm: Tpm;
}

/** Starts a simulator and opens it. */
export async function startBench(
  simulatorOptions: TpmSimulatorOptions = {},
  tssOptions: Omit<TssOptions, 'tpm'> = {},
): Promise<Bench> {
  const simulator = await startTpmSimulator(simulatorOptions);
  const tpm = await createTss({ ...tssOptions, tpm: simulator.address });
  return {
    simulator,
    tpm,
    [Symbol.asyncDispose]: async () => {
      await tpm.close();
      await simulator.stop();
    },
  };
}

/** The original class over a device; it never opens one by itself. */
export function originalOver(device: TssDevice): OriginalTpm {
  const tpm = new original.Tpm(true);
  Object.assign(tpm, { device });
  return tpm;
}

/** An open device of ours as tss.js wants it, with nothing added: what the original does over it is its own doing. */
export function asTssDevice(device: TpmDevice): TssDevice {
  return {
    connect: (continuation) => continuation(null),
    dispatchCommand: (command, continuation) => {
      device.transmit(command, { timeoutMs: 10_000 }).then(
        (response) => continuation(null, Buffer.from(response)),
        (error: Error) => continuation(error),
      );
    },
    close: () => undefined,
  };
}

/** A device that answers every command by a function of it, and remembers what it was sent. */
export function answeringDevice(
  answer: (command: Buffer, count: number) => Uint8Array | Promise<Uint8Array>,
): TpmDevice & { readonly commands: Buffer[] } {
  const commands: Buffer[] = [];
  return {
    commands,
    info: { kind: 'custom', resourceManaged: true, maxFrameBytes: 4096 },
    transmit: async (command) => {
      commands.push(Buffer.from(command));
      return answer(Buffer.from(command), commands.length);
    },
    close: async () => undefined,
  };
}

/** A device that lets everything through to a simulator, and remembers it; `change` may alter a response. */
export async function wiretap(
  address: string,
  change: (response: Buffer, command: Buffer) => Buffer = (response) => response,
): Promise<TpmDevice & { readonly traffic: Buffer[] }> {
  const device = await openTpmDevice(address);
  const traffic: Buffer[] = [];
  return {
    traffic,
    info: device.info,
    transmit: async (command, options) => {
      const response = Buffer.from(await device.transmit(command, options));
      traffic.push(Buffer.from(command), response);
      return change(response, Buffer.from(command));
    },
    close: () => device.close(),
  };
}

/** A bare response: a header with a code. */
export function responseOf(code: number): Buffer {
  const response = Buffer.from('80010000000a00000000', 'hex');
  response.writeUInt32BE(code, 6);
  return response;
}

/** The answer to GetRandom with the given bytes. */
export function randomResponse(bytes: Uint8Array): Buffer {
  const response = Buffer.alloc(12 + bytes.length);
  response.writeUInt16BE(0x8001);
  response.writeUInt32BE(response.length, 2);
  response.writeUInt16BE(bytes.length, 10);
  response.set(bytes, 12);
  return response;
}
