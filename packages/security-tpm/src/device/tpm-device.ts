import { InvalidArgumentError } from '@endorse/interface';

/** How a TPM is reached. */
export type TpmDeviceKind = 'swtpm' | 'mssim' | 'linux' | 'tbs' | 'custom';

/** What is known about a device before any command. */
export interface TpmDeviceInfo {
  /** How it is reached. */
  readonly kind: TpmDeviceKind;
  /** True when somebody else swaps objects and sessions and cleans up behind a lost client (`/dev/tpmrm0`, TBS). */
  readonly resourceManaged: boolean;
  /** The longest command or response in bytes, header included. */
  readonly maxFrameBytes: number;
}

/** Options of {@link TpmDevice.transmit}. */
export interface TransmitOptions {
  /** How long the TPM may take, in milliseconds from submission. */
  readonly timeoutMs: number;
  /**
   * Aborts the call, which then rejects with `signal.reason`. Before the command was sent nothing is sent;
   * afterwards the response is discarded, and the next command waits until it has arrived.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A way to a TPM: whole commands in, whole responses out, one at a time.
 *
 * Anything that keeps this contract can stand in for the built-in devices.
 */
export interface TpmDevice {
  /** What is known about it. */
  readonly info: TpmDeviceInfo;
  /**
   * Sends one whole command and resolves with the whole response. Concurrent calls are served in order.
   *
   * Rejects with `ERR_INVALID_ARGUMENT` for bytes that are no command, with `ERR_TPM_TIMEOUT` or `ERR_TPM_IO`
   * when the channel fails (it is then closed for good) and `ERR_TPM_CLOSED` afterwards.
   */
  transmit(command: Uint8Array, options: TransmitOptions): Promise<Uint8Array>;
  /** Asks the TPM to give up the running command, where the channel can; the command then ends by itself. */
  cancel?(): Promise<void>;
  /** Lets go of the channel; bounded in time, harmless when repeated, never rejects. */
  close(): Promise<void>;
}

/** The size of a command or response header: tag, size, code. */
export const headerBytes = 10;

const sessionTags: readonly number[] = [0x8001, 0x8002];

/** Throws `ERR_INVALID_ARGUMENT` unless `command` is one whole TPM 2.0 command of at most `maxFrameBytes`. */
export function assertCommandFrame(command: Uint8Array, maxFrameBytes: number): void {
  if (!(command instanceof Uint8Array)) throw new InvalidArgumentError('command', 'must be a Uint8Array');
  if (command.byteLength > maxFrameBytes) {
    throw new InvalidArgumentError('command', `must be at most ${maxFrameBytes} bytes`, 'ERR_OUT_OF_RANGE');
  }
  if (describeFrameProblem(command) !== undefined) {
    throw new InvalidArgumentError('command', `is no TPM command: ${describeFrameProblem(command)}`);
  }
}

/** What is wrong with the header of a command or response; undefined when nothing is. */
export function describeFrameProblem(frame: Uint8Array): string | undefined {
  if (frame.byteLength < headerBytes) return `${frame.byteLength} bytes, shorter than a header`;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const tag = view.getUint16(0);
  // A TPM 1.2 answers everything it does not know with tag 0x00c4.
  if (tag === 0x00c4) return 'tag 0x00c4: this is a TPM 1.2';
  if (!sessionTags.includes(tag)) return `tag 0x${tag.toString(16).padStart(4, '0')}`;
  const size = view.getUint32(2);
  if (size !== frame.byteLength) return `header says ${size} bytes, there are ${frame.byteLength}`;
  return undefined;
}
