/**
 * The Linux character devices. One write is one command and blocks until the TPM is done, then one read fetches the
 * whole response; both run in Node's thread pool, so a key generation holds one pool thread and never the event loop.
 *
 * `/dev/tpmrm0` comes first: the kernel then swaps our objects and sessions and flushes them when we die.
 * `/dev/tpm0` admits a single client and would leave them behind.
 */
import { open } from 'node:fs/promises';
import { TpmDeviceError } from '../errors.ts';
import { createChannelDevice } from './channel-device.ts';
import type { TpmChannel } from './channel-device.ts';
import { responseFrameBytes } from './frames.ts';
import type { ResolvedOpenOptions } from './open-options.ts';
import type { TpmDevice } from './tpm-device.ts';

/** The file calls a device makes; `node:fs/promises` fits. */
export interface LinuxFileSystem {
  /** Opens a device for reading and writing. */
  open(path: string, flags: 'r+'): Promise<LinuxFile>;
}

/** An open device; `FileHandle` fits. */
export interface LinuxFile {
  /** Writes at the current position. */
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: null,
  ): Promise<{ bytesWritten: number }>;
  /** Reads at the current position. */
  read(buffer: Uint8Array, offset: number, length: number, position: null): Promise<{ bytesRead: number }>;
  /** Closes once the pending call has returned. */
  close(): Promise<void>;
}

/** The devices tried, in this order, when the address names none. */
export const linuxDevicePaths: readonly string[] = Object.freeze(['/dev/tpmrm0', '/dev/tpm0']);

/** The kernel refuses longer commands with E2BIG; kernels before 4.20 drop what a shorter read leaves. */
const maxFrameBytes = 4096;

/** How long closing may wait for a blocked thread before we stop waiting for it, in milliseconds. */
const closeGraceMs = 1000;

/** Opens the device at `path`, or the first there is of {@link linuxDevicePaths}. */
export async function openLinuxDevice(
  path: string | undefined,
  options: ResolvedOpenOptions,
): Promise<TpmDevice> {
  const { signal } = options;
  const fileSystem: LinuxFileSystem = options.fileSystem ?? { open };
  let missing: unknown;
  for (const candidate of path === undefined ? linuxDevicePaths : [path]) {
    signal?.throwIfAborted();
    try {
      const file = await openInTime(fileSystem, candidate, options);
      return createChannelDevice(createLinuxChannel(file), {
        kind: 'linux',
        resourceManaged: /tpmrm\d*$/.test(candidate),
        maxFrameBytes,
      });
    } catch (error) {
      if (!['ENOENT', 'ENODEV', 'ENXIO'].includes(errorCode(error))) throw openError(candidate, error);
      missing ??= error;
    }
  }
  throw new TpmDeviceError(
    'ERR_TPM_UNREACHABLE',
    `there is no TPM at ${path ?? linuxDevicePaths.join(' or ')}`,
    {
      cause: missing,
      remedy: 'Switch the TPM on in the firmware settings and load the kernel driver (tpm_tis or tpm_crb).',
    },
  );
}

async function openInTime(
  fileSystem: LinuxFileSystem,
  path: string,
  { connectTimeoutMs, signal }: ResolvedOpenOptions,
): Promise<LinuxFile> {
  const opening = fileSystem.open(path, 'r+');
  return new Promise((resolve, reject) => {
    let settled = false;
    const settle = (act: () => void): void => {
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    const timer = setTimeout(() => {
      settle(() =>
        reject(new TpmDeviceError('ERR_TPM_TIMEOUT', `opening ${path} took over ${connectTimeoutMs} ms`)),
      );
    }, connectTimeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    opening.then(
      (file) => {
        // Nobody waits for it any more, but the device would stay open.
        if (settled) file.close().catch(() => undefined);
        else settle(() => resolve(file));
      },
      (error: unknown) => settle(() => reject(error)),
    );
  });
}

function createLinuxChannel(file: LinuxFile): TpmChannel {
  let isOpen = true;
  return {
    isOpen: () => isOpen,
    exchange: async (command) => {
      try {
        const { bytesWritten } = await file.write(command, 0, command.byteLength, null);
        if (bytesWritten !== command.byteLength) throw new Error(`the kernel took ${bytesWritten} bytes`);
        const buffer = new Uint8Array(maxFrameBytes);
        const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, null);
        const received = buffer.slice(0, bytesRead);
        buffer.fill(0);
        if (responseFrameBytes(received, maxFrameBytes) === undefined)
          throw new Error(`response of ${bytesRead} bytes`);
        return received;
      } catch (error) {
        throw exchangeError(error);
      }
    },
    destroy: async () => {
      isOpen = false;
      const closed = file.close().catch(() => undefined);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, closeGraceMs);
        void closed.then(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}

function openError(path: string, error: unknown): unknown {
  switch (errorCode(error)) {
    case 'EACCES':
    case 'EPERM':
      return new TpmDeviceError('ERR_TPM_PERMISSION', `may not open ${path}`, {
        cause: error,
        remedy: 'Join the group that owns it (tss on most distributions) and use /dev/tpmrm0.',
      });
    case 'EBUSY':
      return new TpmDeviceError('ERR_TPM_BUSY', `${path} is in use by another process`, {
        cause: error,
        remedy: 'Use /dev/tpmrm0, which several processes can share.',
      });
    case '':
      return error;
    default:
      return new TpmDeviceError('ERR_TPM_IO', `could not open ${path} (${errorCode(error)})`, {
        cause: error,
      });
  }
}

function exchangeError(error: unknown): TpmDeviceError {
  const code = errorCode(error);
  // The resource manager keeps three objects and three sessions for each open file.
  const full = code === 'ENOMEM';
  return new TpmDeviceError(
    'ERR_TPM_IO',
    full
      ? 'the resource manager has no room for another object'
      : `the TPM device failed (${code || String(error)})`,
    { cause: error, commandSent: !['E2BIG', 'EINVAL', 'ENOMEM'].includes(code) },
  );
}

/** The `errno` name of a system error; empty for anything else, so that our own errors and aborts pass. */
function errorCode(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : '';
}
