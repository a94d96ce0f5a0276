/**
 * A bench in a process group of its own, with a folder of its own for whatever is temporary. When it ends, by itself,
 * by its time limit or by an interruption, the group is ended and the folder removed: nothing depends on how well
 * each client, server and tool of a bench cleans up after itself. And no bench runs on what another one has compiled.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BenchSize } from '../bench.ts';
import type { BenchAnswer } from './bench-process.ts';

/** Over three times what the longest of them takes on two cores. */
const timeLimitMs = 900_000;
/** How long a group may take to end when it is asked to; then it is killed. */
const graceMs = 5_000;

/** Runs a bench and resolves with its figures. */
export async function runBench(
  name: string,
  { size, signal }: { readonly size: BenchSize; readonly signal: AbortSignal },
): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'endorse-bench-'));
  // PostgreSQL runs as another user when we are root, and has to get to its own folder in here.
  await chmod(folder, 0o711);
  const child = spawn(
    process.execPath,
    ['--conditions=@endorse/source', fileURLToPath(new URL('bench-process.ts', import.meta.url)), name, size],
    // What a bench or its tools print is progress.
    { detached: true, stdio: ['ignore', 2, 2, 'ipc'], env: { ...process.env, TMPDIR: folder } },
  );
  const limit = AbortSignal.timeout(timeLimitMs);
  try {
    return await Promise.race([
      answerOf(child),
      rejectionOf(limit, `did not end within ${timeLimitMs / 1000} s`),
      rejectionOf(signal, 'was interrupted'),
    ]);
  } finally {
    await endGroup(child);
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const answered = once(child, 'message') as Promise<[BenchAnswer]>;
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`its process ended with ${String(code ?? signal)}`);
  });
  const [answer] = await Promise.race([answered, ended]);
  if ('error' in answer) throw new Error(answer.error);
  // What it has started was released by now; what was forgotten is ended with its group.
  await Promise.race([ended.catch(() => undefined), delay(graceMs, undefined, { ref: false })]);
  return answer.figures;
}

async function rejectionOf(signal: AbortSignal, message: string): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw new Error(message);
}

async function endGroup({ pid }: ChildProcess): Promise<void> {
  if (pid === undefined) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!signalGroup(pid, signal)) return;
    const giveUpAt = performance.now() + graceMs;
    while (performance.now() < giveUpAt) {
      if (!signalGroup(pid, 0)) return;
      await delay(20);
    }
  }
}

/** False when nobody is left in the group. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
