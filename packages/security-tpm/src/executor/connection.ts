/**
 * The device, opened again after it was lost.
 *
 * A lost device never comes back by itself: what was in flight has failed, and what the TPM made of it is not known.
 * Simulators may be on their way up again, so opening a second time is tried for a while.
 */
import { isEndorseError } from '@endorse/interface';
import type { Clock } from '@endorse/interface';
import type { TpmDevice, TpmDeviceInfo } from '../device/tpm-device.ts';
import { TpmDeviceError } from '../errors.ts';

/** Opens the device: at first, and after every loss. */
export type ConnectTpmDevice = (signal: AbortSignal | undefined) => Promise<TpmDevice>;

/** A simulator that is restarted is back within a second. */
const defaultReopenForMs = 2000;
const firstReopenDelayMs = 10;

/** The current device of an executor. Not safe for concurrent use: the executor's queue guards it. */
export class TpmConnection {
  readonly #connect: ConnectTpmDevice | undefined;
  readonly #clock: Clock;
  readonly #info: TpmDeviceInfo;
  #device: TpmDevice | undefined;
  #generation = 1;
  #closed = false;

  /** Takes over an open device. With `connect` it is ours: closed when lost, and opened again. */
  constructor(device: TpmDevice, connect: ConnectTpmDevice | undefined, clock: Clock) {
    this.#device = device;
    this.#info = device.info;
    this.#connect = connect;
    this.#clock = clock;
  }

  /** About the device. */
  get info(): TpmDeviceInfo {
    return this.#info;
  }

  /** True when a lost device can be opened again. */
  get canReopen(): boolean {
    return this.#connect !== undefined;
  }

  /** Counts the devices there were: a change means that a loss lies in between. */
  get generation(): number {
    return this.#generation;
  }

  /** The open device; when it was lost, tries for `reopenForMs` milliseconds to open it again. */
  async open(signal: AbortSignal | undefined, reopenForMs: number = defaultReopenForMs): Promise<TpmDevice> {
    if (this.#closed) throw closedError();
    if (this.#device !== undefined) return this.#device;
    const device = await this.#reopen(signal, reopenForMs);
    if (this.#closed) {
      await device.close();
      throw closedError();
    }
    this.#device = device;
    this.#generation += 1;
    return device;
  }

  /** Sends a frame. A device of ours that fails is dropped. */
  async transmit(device: TpmDevice, frame: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    try {
      return await device.transmit(frame, { timeoutMs });
    } catch (error) {
      if (this.#connect !== undefined && this.#device === device) {
        this.#device = undefined;
        await device.close();
      }
      if (isEndorseError(error)) throw error;
      throw new TpmDeviceError('ERR_TPM_IO', 'the TPM device failed', { cause: error, commandSent: true });
    }
  }

  /** Closes for good; a device that was handed to us stays open. */
  async close(): Promise<void> {
    this.#closed = true;
    const device = this.#device;
    this.#device = undefined;
    if (this.#connect !== undefined) await device?.close();
  }

  async #reopen(signal: AbortSignal | undefined, reopenForMs: number): Promise<TpmDevice> {
    const connect = this.#connect;
    if (connect === undefined) throw closedError();
    const never = signal ?? new AbortController().signal;
    const startedAt = performance.now();
    let waitedMs = 0;
    for (let delayMs = firstReopenDelayMs; ; delayMs *= 2) {
      try {
        return await connect(signal);
      } catch (error) {
        // A silent peer uses up the time inside `connect`, one that refuses uses it up between the tries.
        const elapsedMs = Math.max(performance.now() - startedAt, waitedMs);
        if (!isTransient(error) || elapsedMs + delayMs > reopenForMs) throw error;
      }
      waitedMs += delayMs;
      await this.#clock.sleep(delayMs, never);
    }
  }
}

/** A restarting simulator refuses connections; a lost `/dev/tpm0` is busy until the kernel has let go of it. */
function isTransient(error: unknown): boolean {
  return error instanceof TpmDeviceError && ['ERR_TPM_UNREACHABLE', 'ERR_TPM_BUSY'].includes(error.code);
}

function closedError(): TpmDeviceError {
  return new TpmDeviceError('ERR_TPM_CLOSED', 'the TPM was closed');
}
