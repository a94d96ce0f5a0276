import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from '../support/statistics.ts';
import { summarize } from '../support/statistics.ts';

/** How long this machine's disk takes to confirm a page that was written, in milliseconds: the floor below every durable figure. */
export async function measureSync(): Promise<Summary> {
  const directory = await mkdtemp(join(tmpdir(), 'endorse-sync-'));
  try {
    await using file = await open(join(directory, 'page'), 'w');
    const page = Buffer.alloc(4096, 1);
    const durations: number[] = [];
    for (let turn = 0; turn < 200; turn += 1) {
      const startedAt = performance.now();
      await file.write(page);
      await file.datasync();
      durations.push(performance.now() - startedAt);
    }
    return summarize(durations);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
