import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '@endorse/interface';
import { ProvisioningStateError } from '../provisioning/state-error.ts';

/** SQLITE_BUSY: somebody else holds the lock. */
const busyCode = 5;

/** Pause between attempts to take the lock, in milliseconds. */
const retryMs = 100;

/**
 * Runs `work` while holding the lock of a file.
 *
 * The lock is SQLite's, on a database that stays empty: the kernel drops it when
 * the process dies, however it dies. A lock file with a process id in it would
 * outlive a power loss, and the id may be somebody else's after the reboot.
 */
export async function withFileLock<Value>(
  lockFile: string,
  work: () => Promise<Value>,
  options: { readonly signal: AbortSignal; readonly limitMs: number; readonly clock: Clock },
): Promise<Value> {
  const release = await takeLock(lockFile, options);
  try {
    return await work();
  } finally {
    release();
  }
}

async function takeLock(
  lockFile: string,
  {
    signal,
    limitMs,
    clock,
  }: { readonly signal: AbortSignal; readonly limitMs: number; readonly clock: Clock },
): Promise<() => void> {
  signal.throwIfAborted();
  await prepare(lockFile);
  // Loaded here: a device that finds its assignment never needs it.
  const { DatabaseSync } = await import('node:sqlite');
  for (let waitedMs = 0; ; waitedMs += retryMs) {
    const database = new DatabaseSync(lockFile, { timeout: 0 });
    try {
      database.exec('BEGIN EXCLUSIVE');
      return () => database.close();
    } catch (error) {
      database.close();
      if (!isBusy(error)) throw cannotLock(lockFile, error);
      if (waitedMs >= limitMs) {
        throw new ProvisioningStateError(
          'ERR_STATE_LOCKED',
          `another process has held ${lockFile} for ${limitMs} ms`,
          { remedy: 'Find out why the other process does not get registered, or try again later.' },
        );
      }
    }
    await clock.sleep(Math.min(retryMs, Math.max(1, limitMs - waitedMs)), signal);
  }
}

async function prepare(lockFile: string): Promise<void> {
  try {
    await mkdir(dirname(lockFile), { recursive: true, mode: 0o700 });
    const handle = await open(lockFile, 'a', 0o600);
    await handle.close();
  } catch (error) {
    throw cannotLock(lockFile, error);
  }
}

/** Nothing is registered then: without a place for the result, a device would register at every boot. */
function cannotLock(lockFile: string, error: unknown): ProvisioningStateError {
  const problem = error instanceof Error ? error.message : String(error);
  return new ProvisioningStateError('ERR_STATE_WRITE', `cannot lock ${lockFile}: ${problem}`, {
    cause: error,
    remedy: `Make ${dirname(lockFile)} a directory that this user may write to.`,
  });
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === busyCode;
}
