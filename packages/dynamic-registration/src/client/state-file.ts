import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DeviceRegistrationError } from './errors.ts';

/** What a device keeps. The secrets are in the clear: a device that boots alone has nobody to ask for a password. */
export interface DeviceState {
  /** Base64url of 32 random bytes, made before the first request; absent in a file of the original firmware. */
  readonly proof?: string;
  readonly manufacturerId?: string;
  readonly deviceId?: string;
  readonly accessKey?: string;
  readonly accessSecret?: string;
  readonly broker?: string;
}

/** More than any state has. */
const maxBytes = 65_536;

/** Reads the state; undefined when there is no file. Rejects with `ERR_REGISTRATION_STATE` for one that is not ours. */
export async function readState(file: string): Promise<DeviceState | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(file, cause);
  }
  const state = text.length > maxBytes ? undefined : parse(text);
  if (state === undefined) throw unusable(file, new Error('it holds no state of a device'));
  return state;
}

/**
 * Writes the first state, with the proof, and returns what is in the file afterwards: when another process was faster,
 * its state. The file is mode 0600 and on the disk before this resolves.
 */
export async function createState(file: string, state: DeviceState): Promise<DeviceState> {
  return write(file, state, async (temporary) => {
    try {
      await link(temporary, file);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      // FAT, which memory cards have, knows no links; there the last of two processes wins.
      if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) await rename(temporary, file);
      else if (code !== 'EEXIST') throw error;
    }
    await rm(temporary, { force: true });
    return (await readState(file)) ?? state;
  });
}

/** Replaces the state: after a power loss there is the old one or the new one. */
export async function replaceState(file: string, state: DeviceState): Promise<void> {
  await write(file, state, (temporary) => rename(temporary, file));
}

async function write<Value>(
  file: string,
  state: DeviceState,
  place: (temporary: string) => Promise<Value>,
): Promise<Value> {
  const folder = dirname(resolve(file));
  const temporary = join(folder, `.${randomUUID()}.tmp`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(state, undefined, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const value = await place(temporary);
    await syncFolder(folder);
    return value;
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    if (cause instanceof DeviceRegistrationError) throw cause;
    throw unusable(file, cause);
  }
}

/** The name is in the folder, and the folder has to reach the disk, too; Windows cannot, and need not. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const fields = ['proof', 'manufacturerId', 'deviceId', 'accessKey', 'accessSecret', 'broker'] as const;

function parse(text: string): DeviceState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const record = value as Readonly<Record<string, unknown>>;
  const valid = fields.every((name) => record[name] === undefined || typeof record[name] === 'string');
  if (!valid || (record['proof'] === undefined && record['deviceId'] === undefined)) return undefined;
  return record;
}

function unusable(file: string, cause: unknown): DeviceRegistrationError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return new DeviceRegistrationError('ERR_REGISTRATION_STATE', `cannot use ${file}: ${problem}`, {
    cause,
    remedy: `Make ${dirname(resolve(file))} a directory that this user may write to; remove ${file} to register anew.`,
  });
}
