import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Summary } from '../support/statistics.ts';

/** What was measured among so many enrollments. */
export interface ScalePoint {
  readonly enrollments: number;
  /** How many were added since the point before, a thousand in one step. */
  readonly created: number;
  readonly createdPerSecond: number;
  /** CPU time of a device that registers again, without a carrier, in microseconds: what does not depend on the disk and the neighbours. */
  readonly registrationCpuUs: number;
  /** Wall time of the same, in microseconds. */
  readonly registrationUs: Summary;
  /** What is alive on the heap and beside it, after a collection. */
  readonly usedMiB: number;
  readonly rssMiB: number;
}

/** What was measured among the most enrollments. */
export interface ScaleEnd {
  /** The first page of a thousand, in milliseconds. */
  readonly firstPageMs: number;
  /** All pages of a thousand, one after the other. */
  readonly walkMs: number;
  /** The last enrollment, asked for by its id. */
  readonly findMs: number;
  /** All pages of a query that no enrollment fits, by a field that is no key. */
  readonly searchMs: number;
}

/** A store as enrollments grow. */
export interface ScaleFigures extends ScaleEnd {
  readonly points: readonly ScalePoint[];
  /** Size of the database; absent in memory. */
  readonly fileMiB?: number;
}

/** Measures a store in a process of its own. */
export async function measureScale(
  kind: 'memory' | 'sqlite',
  sizes: readonly number[],
): Promise<ScaleFigures> {
  const directory = await mkdtemp(join(tmpdir(), 'endorse-scale-'));
  const file = join(directory, 'emulator.sqlite');
  try {
    const child = spawn(
      process.execPath,
      [
        ...['--conditions=@endorse/source', '--expose-gc', '--max-old-space-size=8192'],
        fileURLToPath(new URL('scale-child.ts', import.meta.url)),
        ...[kind, file, ...sizes.map(String)],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const closed = once(child, 'close');
    const lines: unknown[] = [];
    for await (const line of createInterface({ input: child.stdout })) lines.push(JSON.parse(line));
    const [code] = (await closed) as [number | null];
    if (code !== 0) throw new Error(`the process for ${kind} ended with ${String(code)}`);
    const points = lines.slice(0, -1) as ScalePoint[];
    const end = lines.at(-1) as ScaleEnd;
    if (kind === 'memory') return { points, ...end };
    return { points, ...end, fileMiB: (await stat(file)).size / 2 ** 20 };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
