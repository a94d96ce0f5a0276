import type { LinuxFileSystem } from './linux-device.ts';
import type { TbsLoadOptions } from './tbs-messages.ts';

/** Options of opening a device. */
export interface OpenTpmDeviceOptions {
  /** How long opening may take, in milliseconds; 1 to 600,000, default 5000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Aborts the opening, which then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** `mssim://` only: switch the simulated TPM and its NV memory on at first. Default true. */
  readonly powerOn?: boolean | undefined;
  /** `device:` only: the file calls to use instead of `node:fs/promises`; for tests. */
  readonly fileSystem?: LinuxFileSystem | undefined;
  /** `tbs:` only: what the worker loads; for tests. */
  readonly tbs?: TbsLoadOptions | undefined;
}

/** The options once the defaults are filled in. */
export type ResolvedOpenOptions = OpenTpmDeviceOptions & { readonly connectTimeoutMs: number };
