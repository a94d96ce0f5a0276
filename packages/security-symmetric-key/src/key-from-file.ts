import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { InvalidArgumentError } from '@endorse/interface';
import type { Secret } from '@endorse/interface';
import { decodeKey } from './decode-key.ts';
import { KeySourceError } from './errors.ts';

/** Options of {@link keyFromFile}. */
export interface KeyFromFileOptions {
  /**
   * Accepts a file that others than its owner may read or change; default false.
   * For mounts that cannot do better, such as secrets of a container orchestrator.
   */
  readonly allowLooseFileMode?: boolean | undefined;
  /** Aborts the reading; the promise then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a key in base64 from a file; a line feed at its end is ignored.
 *
 * Rejects with `ERR_KEY_UNREADABLE` when it is absent, forbidden, no regular file or larger than
 * 4,096 bytes, `ERR_KEY_FILE_MODE` when others than its owner have any right to it (not checked on
 * Windows), `ERR_KEY_MISSING` when it is blank, `ERR_KEY_NOT_BASE64`, and `ERR_KEY_LENGTH`
 * unless the key has 16 to 64 bytes.
 */
export async function keyFromFile(path: string, options: KeyFromFileOptions = {}): Promise<Secret> {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new InvalidArgumentError('path', 'must be the path of a file');
  }
  const { signal, allowLooseFileMode = false } = options;
  signal?.throwIfAborted();
  const file = await openKeyFile(path);
  try {
    signal?.throwIfAborted();
    await checkKeyFile(file, path, allowLooseFileMode);
    const text = await readKeyFile(file, path);
    signal?.throwIfAborted();
    return decodeKey(text, { source: path, title: `key file ${path}` });
  } finally {
    await file.close();
  }
}

/** A key of 64 bytes has 88 characters in base64; the rest is for white space. */
const maxFileBytes = 4_096;

async function openKeyFile(path: string): Promise<FileHandle> {
  try {
    // Opening a named pipe waits for its writer, for ever and uninterruptibly, unless told not to.
    return await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw unreadable(path, 'cannot be opened', error);
  }
}

async function checkKeyFile(file: FileHandle, path: string, allowLooseFileMode: boolean): Promise<void> {
  const stats = await file.stat();
  if (!stats.isFile()) throw unreadable(path, 'is no regular file');
  // Windows has no such bits; its access lists are the administrator's business.
  if (process.platform === 'win32' || allowLooseFileMode || (stats.mode & 0o077) === 0) return;
  const mode = (stats.mode & 0o777).toString(8).padStart(3, '0');
  throw new KeySourceError(
    'ERR_KEY_FILE_MODE',
    path,
    `key file ${path} has mode ${mode}: others than its owner may use it`,
    {
      remedy: `Run: chmod 600 '${path.replaceAll("'", String.raw`'\''`)}' (and replace the key if somebody may have read it), or set allowLooseFileMode.`,
    },
  );
}

async function readKeyFile(file: FileHandle, path: string): Promise<string> {
  const buffer = Buffer.alloc(maxFileBytes + 1);
  try {
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) return buffer.toString('latin1', 0, length);
      length += bytesRead;
    }
  } catch (error) {
    throw unreadable(path, 'cannot be read', error);
  } finally {
    buffer.fill(0);
  }
  throw unreadable(path, `has more than ${maxFileBytes} bytes`);
}

function unreadable(path: string, problem: string, cause?: unknown): KeySourceError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const reason = code === undefined ? '' : ` (${code})`;
  return new KeySourceError('ERR_KEY_UNREADABLE', path, `key file ${path} ${problem}${reason}`, {
    cause,
    remedy:
      code === 'EACCES'
        ? 'Run as the owner of the file, or give it to the user this program runs as.'
        : 'Name a regular file that holds the key of the enrollment in base64.',
  });
}
