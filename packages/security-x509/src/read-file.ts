import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { X509IdentityError } from './errors.ts';

/** A file, and who may use it. */
export interface IdentityFile {
  /** To be overwritten by the caller when a private key may be in it. */
  readonly bytes: Buffer;
  /** The permission bits, 0 to 0o777. */
  readonly mode: number;
}

/** Largest file that is read, in bytes: far more than any chain has. */
const maxFileBytes = 1_048_576;

/** Reads a whole file. Rejects with `ERR_X509_FILE_UNREADABLE` when it is absent, forbidden, no regular file or larger than 1 MiB. */
export async function readIdentityFile(path: string, signal: AbortSignal | undefined): Promise<IdentityFile> {
  signal?.throwIfAborted();
  const file = await openFile(path);
  try {
    signal?.throwIfAborted();
    const stats = await file.stat();
    if (!stats.isFile()) throw unreadable(path, 'is no regular file');
    if (stats.size > maxFileBytes) throw unreadable(path, `has more than ${maxFileBytes} bytes`);
    const bytes = await readBytes(file, path, stats.size);
    signal?.throwIfAborted();
    return { bytes, mode: stats.mode & 0o777 };
  } finally {
    await file.close();
  }
}

/** Throws `ERR_X509_FILE_MODE` when others than the owner have any right to the file. Windows has no such bits. */
export function checkNotLoose(path: string, mode: number): void {
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  throw new X509IdentityError(
    'ERR_X509_FILE_MODE',
    `${path} holds an unprotected private key and has mode ${mode.toString(8).padStart(3, '0')}: others than its owner may use it`,
    {
      remedy: `Run: chmod 600 '${path.replaceAll("'", String.raw`'\''`)}' (and replace the key if somebody may have read it), encrypt it, or set allowLooseFileMode.`,
    },
  );
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // Opening a named pipe waits for its writer, for ever and uninterruptibly, unless told not to.
    return await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw unreadable(path, 'cannot be opened', error);
  }
}

/** Reads at most `size` bytes: what is appended meanwhile does not belong to the file that was looked at. */
async function readBytes(file: FileHandle, path: string, size: number): Promise<Buffer> {
  const buffer = Buffer.alloc(size);
  try {
    let length = 0;
    while (length < size) {
      const { bytesRead } = await file.read(buffer, length, size - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } catch (error) {
    throw unreadable(path, 'cannot be read', error);
  }
}

function unreadable(path: string, problem: string, cause?: unknown): X509IdentityError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const reason = code === undefined ? '' : ` (${code})`;
  return new X509IdentityError('ERR_X509_FILE_UNREADABLE', `${path} ${problem}${reason}`, {
    cause,
    remedy:
      code === 'EACCES'
        ? 'Run as the owner of the file, or give it to the user this program runs as.'
        : 'Name a regular file that holds the certificate or its key.',
  });
}
