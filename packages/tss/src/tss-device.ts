/**
 * Devices as tss.js knows them, over ours and the other way round.
 */
import { InvalidArgumentError, isEndorseError } from '@endorse/interface';
import { TpmDeviceError, openTpmDevice } from '@endorse/security-tpm';
import type { TpmAddress, TpmDevice, TransmitOptions } from '@endorse/security-tpm';

/** The interface tss.js asks of a device, for code that brings one of its own. */
export interface TssDevice {
  /** Opens the device. An error is passed on, or returned. */
  connect(continuation: (error?: Error | null) => void): Error | null | undefined | void;
  /** Sends one whole command. */
  dispatchCommand(command: Buffer, continuation: (error?: Error | null, response?: Buffer) => void): void;
  /** Lets go of the device. */
  close(): void;
}

/** The largest frame of a device that does not say. */
const defaultFrameBytes = 4096;
/** How long a device behind {@link TssDevice} may take for a command, in milliseconds: what a key generation may. */
const dispatchTimeoutMs = 300_000;
/** How long a device behind {@link TssDevice} may take to connect, in milliseconds. */
const connectTimeoutMs = 10_000;

/**
 * Opens a device of tss.js's kind as one of ours: bounded in time, every answer checked, whatever it does afterwards.
 * Rejects with `ERR_TPM_UNREACHABLE` or `ERR_TPM_TIMEOUT`.
 */
export async function openTssDevice(device: TssDevice): Promise<TpmDevice> {
  try {
    await settle<void>(connectTimeoutMs, 'connect', (resolve, reject) => {
      const failed = device.connect((error) => (error ? reject(error) : resolve()));
      if (failed instanceof Error) reject(failed);
    });
  } catch (cause) {
    if (isEndorseError(cause)) throw cause;
    throw new TpmDeviceError('ERR_TPM_UNREACHABLE', 'the TPM device did not connect', { cause });
  }
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;
  return {
    info: { kind: 'custom', resourceManaged: false, maxFrameBytes: defaultFrameBytes },
    transmit: (command, options) => {
      const turn = last.then(() => {
        if (closed) throw new TpmDeviceError('ERR_TPM_CLOSED', 'the TPM device was closed');
        return dispatch(device, command, options);
      });
      last = turn.catch(() => undefined);
      return turn;
    },
    close: async () => {
      if (!closed) device.close();
      closed = true;
    },
  };
}

async function dispatch(
  device: TssDevice,
  command: Uint8Array,
  { timeoutMs, signal }: TransmitOptions,
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  try {
    return await settle<Uint8Array>(timeoutMs, 'answer', (resolve, reject) => {
      device.dispatchCommand(Buffer.from(command), (error, response) => {
        if (error) reject(error);
        else if (response instanceof Uint8Array) resolve(Uint8Array.from(response));
        else reject(new TypeError('neither an error nor a response'));
      });
    });
  } catch (cause) {
    if (isEndorseError(cause)) throw cause;
    throw new TpmDeviceError('ERR_TPM_IO', 'the TPM device failed', { cause, commandSent: true });
  }
}

async function settle<T>(
  timeoutMs: number,
  purpose: string,
  start: (resolve: (value: T) => void, reject: (reason: unknown) => void) => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => {
    reject(new TpmDeviceError('ERR_TPM_TIMEOUT', `the TPM device did not ${purpose} within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    start(resolve, reject);
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** One of our devices behind the interface of tss.js. */
abstract class AddressedDevice implements TssDevice {
  readonly #address: TpmAddress;
  #device: TpmDevice | undefined;

  constructor(address: TpmAddress) {
    this.#address = address;
  }

  /** Opens the device; the continuation hears of a failure. */
  connect(continuation: (error?: Error | null) => void): void {
    openTpmDevice(this.#address).then(
      (device) => {
        this.#device = device;
        setImmediate(continuation, null);
      },
      (error: Error) => setImmediate(continuation, error),
    );
  }

  /** Sends one whole command. */
  dispatchCommand(command: Buffer, continuation: (error?: Error | null, response?: Buffer) => void): void {
    if (this.#device === undefined) {
      setImmediate(continuation, new TpmDeviceError('ERR_TPM_CLOSED', 'the TPM device is not connected'));
      return;
    }
    this.#device.transmit(command, { timeoutMs: dispatchTimeoutMs }).then(
      (response) => setImmediate(continuation, null, Buffer.from(response)),
      (error: Error) => setImmediate(continuation, error),
    );
  }

  /** Lets go of the device. */
  close(): void {
    void this.#device?.close();
    this.#device = undefined;
  }
}

/** A simulator that speaks the Microsoft/IBM simulator protocol. */
export class TpmTcpDevice extends AddressedDevice {
  constructor(host = '127.0.0.1', port = 2321, linuxTrm = false) {
    if (linuxTrm) {
      throw new InvalidArgumentError(
        'linuxTrm',
        'names a resource manager that no longer exists; use device:',
      );
    }
    super({ kind: 'mssim', host, port, platformPort: port + 1 });
  }
}

/** The TPM of a Linux machine: `/dev/tpmrm0`, else `/dev/tpm0`. */
export class TpmLinuxDevice extends AddressedDevice {
  constructor() {
    super({ kind: 'linux' });
  }
}

/** The TPM of a Windows machine. */
export class TpmTbsDevice extends AddressedDevice {
  constructor() {
    super({ kind: 'tbs' });
  }
}

/** Flags of the reference simulator's handshake, and how a device is reached. */
export const TSS_TPM_INFO: {
  readonly TSS_TpmPlatformAvailable: 1;
  readonly TSS_TpmUsesTbs: 2;
  readonly TSS_TpmInRawMode: 4;
  readonly TSS_TpmSupportsPP: 8;
  readonly TSS_SocketConn: 4096;
  readonly TSS_TbsConn: 8192;
} = Object.freeze({
  TSS_TpmPlatformAvailable: 1,
  TSS_TpmUsesTbs: 2,
  TSS_TpmInRawMode: 4,
  TSS_TpmSupportsPP: 8,
  TSS_SocketConn: 4096,
  TSS_TbsConn: 8192,
});
