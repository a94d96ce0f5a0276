/**
 * A journal in a file. Every entry is on the disk before the promise of `append` resolves; entries that come while the
 * disk is busy go out together. A second run on the same journal is refused by a lock that the system drops when the
 * process dies, however it dies.
 */
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ProvisioningError } from '../errors.ts';
import type { Journal, JournalEntry } from './journal.ts';
import { readJournal } from './read-journal.ts';

/** A journal in a file; closing it gives the lock back. */
export interface FileJournal extends Journal, AsyncDisposable {
  /** Writes what is pending and closes. Harmless when repeated. */
  close(): Promise<void>;
}

/** SQLITE_BUSY: somebody else holds the lock. */
const busyCode = 5;

/**
 * Opens a journal, readable for its owner only.
 *
 * Rejects with `ERR_JOURNAL_EXISTS` when there is one and `resume` is false, `ERR_JOURNAL_LOCKED` while another run uses
 * it, `ERR_JOURNAL_CORRUPT`, `ERR_JOURNAL_OTHER_PLAN` when it belongs to another plan, and `ERR_JOURNAL_WRITE`.
 */
export async function openJournal(
  path: string,
  options: { readonly resume: boolean; readonly planDigest: string },
): Promise<FileJournal> {
  const release = await lock(path);
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'a+', 0o600);
    const { entries, wholeBytes } = readJournal(await handle.readFile());
    requireUsable(path, entries, options);
    // What a crash tore off must not end up in the middle.
    await handle.truncate(wholeBytes);
    return fileJournal(path, handle, entries, release);
  } catch (error) {
    await handle?.close();
    release();
    throw error instanceof ProvisioningError ? error : cannotWrite(path, error);
  }
}

function requireUsable(
  path: string,
  entries: readonly JournalEntry[],
  { resume, planDigest }: { readonly resume: boolean; readonly planDigest: string },
): void {
  const [first] = entries;
  if (first === undefined) return;
  if (!resume) {
    throw new ProvisioningError('ERR_JOURNAL_EXISTS', `${path} is the journal of a run that was begun`, {
      remedy: 'Resume that run (--resume), or give this one another journal.',
    });
  }
  if (first.event === 'run-started' && first.planDigest !== planDigest) {
    throw new ProvisioningError('ERR_JOURNAL_OTHER_PLAN', `${path} belongs to another plan`, {
      remedy: 'Resume with the plan the run was begun with, or begin a new journal.',
    });
  }
}

function fileJournal(
  path: string,
  handle: FileHandle,
  earlier: readonly JournalEntry[],
  release: () => void,
): FileJournal {
  let pending: {
    readonly line: string;
    readonly done: () => void;
    readonly failed: (error: unknown) => void;
  }[] = [];
  let writing: Promise<void> | undefined;
  let failure: ProvisioningError | undefined;
  let closed: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    while (pending.length > 0) {
      const batch = pending;
      pending = [];
      try {
        if (failure !== undefined) throw failure;
        await handle.appendFile(batch.map(({ line }) => line).join(''));
        await handle.datasync();
        for (const { done } of batch) done();
      } catch (error) {
        // After one line is lost, a later one would tell a story that did not happen.
        failure ??= cannotWrite(path, error);
        for (const { failed } of batch) failed(failure);
      }
    }
    writing = undefined;
  };
  const close = async (): Promise<void> => {
    await writing;
    await handle.close();
    release();
  };
  return {
    earlier,
    append: (entry) =>
      new Promise((done, failed) => {
        pending.push({ line: `${JSON.stringify(entry)}\n`, done, failed });
        writing ??= drain();
      }),
    close: () => (closed ??= close()),
    [Symbol.asyncDispose]: () => (closed ??= close()),
  };
}

/** The lock is SQLite's, on an empty database beside the journal: a lock file with a process id would outlive a crash. */
async function lock(path: string): Promise<() => void> {
  const lockFile = `${resolve(path)}.lock`;
  try {
    await mkdir(dirname(lockFile), { recursive: true });
    await (await open(lockFile, 'a', 0o600)).close();
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(lockFile, { timeout: 0 });
    try {
      database.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      database.close();
      throw error;
    }
    return () => database.close();
  } catch (error) {
    const isBusy = error instanceof Error && 'errcode' in error && error.errcode === busyCode;
    if (!isBusy) throw cannotWrite(path, error);
    throw new ProvisioningError('ERR_JOURNAL_LOCKED', `another run is using ${path}`, {
      remedy: 'Wait until it ends, or stop it; then resume.',
    });
  }
}

function cannotWrite(path: string, cause: unknown): ProvisioningError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return new ProvisioningError('ERR_JOURNAL_WRITE', `cannot write ${path}: ${problem}`, {
    cause,
    remedy: 'Make room on the disk and resume: no device was changed without a line in the journal.',
  });
}
