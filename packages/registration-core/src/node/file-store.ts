import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Clock } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { ProvisioningStateError } from '../provisioning/state-error.ts';
import type { ProvisioningStore } from '../provisioning/store.ts';
import { withFileLock } from './file-lock.ts';

/**
 * A store on one file, readable by its owner only (mode 0600).
 *
 * A write goes to a temporary file beside it, which is flushed to the disk and
 * then renamed, and the directory is flushed too: after a power loss there is the
 * old text or the new one. Missing directories are made (mode 0700). Beside the
 * file there is an empty `<file>.lock`.
 * Throws `ERR_INVALID_ARGUMENT` for an empty path.
 */
export function createFileStore(path: string, options: { readonly clock?: Clock } = {}): ProvisioningStore {
  if (typeof path !== 'string' || path === '') {
    throw new InvalidArgumentError('stateFile', 'must be the path of a file');
  }
  const file = resolve(path);
  const { clock = systemClock } = options;
  return {
    async read({ signal }) {
      try {
        return await readBeginning(file);
      } catch (error) {
        signal.throwIfAborted();
        if (codeOf(error) === 'ENOENT') return undefined;
        throw new ProvisioningStateError('ERR_STATE_READ', `cannot read ${file}: ${messageOf(error)}`, {
          cause: error,
          remedy: `Make ${file} a file that this user may read, or remove it to register anew.`,
        });
      }
    },
    async write(text, { signal }) {
      signal.throwIfAborted();
      try {
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        await replaceFile(file, text);
      } catch (error) {
        throw new ProvisioningStateError('ERR_STATE_WRITE', `cannot write ${file}: ${messageOf(error)}`, {
          cause: error,
          remedy: `Make ${dirname(file)} a directory that this user may write to, on a disk with space left.`,
        });
      }
    },
    async withLock(work, { signal, limitMs }) {
      return withFileLock(`${file}.lock`, work, { signal, limitMs, clock });
    },
  };
}

/** More than any assignment has; a longer file is not one, and is cut off so that it cannot fill the memory. */
const maxReadBytes = 1_048_576;

async function readBeginning(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; total < maxReadBytes;) {
      const { bytesRead, buffer } = await handle.read({ buffer: Buffer.alloc(65_536), position: total });
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      total += bytesRead;
    }
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    await handle.close();
  }
}

/** The temporary name is fixed: only the holder of the lock writes, and what a crash left behind is replaced, not added to. */
async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.tmp`;
  // Not opened for overwriting: in a directory that others may write to, it could be a link to elsewhere.
  await rm(temporary, { force: true });
  try {
    await using(await open(temporary, 'wx', 0o600), async (handle) => {
      await handle.writeFile(text, 'utf8');
      await handle.sync();
    });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(file));
}

/** Without it a rename can be lost with the power. Windows cannot open a directory, and keeps its own journal. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using(await open(directory, 'r'), (handle) => handle.sync());
}

async function using(handle: FileHandle, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(handle);
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
