/**
 * Discovery: how soon a thousand devices at addresses of their own are found by broadcast, and what junk costs a
 * prober. Devices and junk come from processes of their own.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { discover } from '@endorse/discovery';
import type { Summary } from '../support/statistics.ts';
import { summarize } from '../support/statistics.ts';

/** What was measured. */
export interface DiscoveryFigures {
  readonly devices: number;
  /** How many were found within 2 s of the start of the run. */
  readonly foundWithin2s: number;
  /** When they were found, in milliseconds after the start. */
  readonly foundMs: Summary;
  /** The same as a curve: so many were found so soon. */
  readonly curve: readonly { readonly found: number; readonly atMs: number }[];
  readonly junk: {
    /** Datagrams sent a second, as it came out. */
    readonly perSecond: number;
    readonly sent: number;
    /** Datagrams that reached the prober; the kernel drops the rest when its buffer is full. */
    readonly received: number;
    /** Growth of the heap while junk came, after a collection, in MiB. */
    readonly heapGrowthMiB: number;
    /** Growth of the whole process at its highest, in MiB. */
    readonly peakGrowthMiB: number;
  };
}

/** Measures; takes about 20 seconds. */
export async function measureDiscovery(size: {
  readonly devices: number;
  readonly junkPerSecond: number;
  readonly junkSeconds: number;
}): Promise<DiscoveryFigures> {
  const found = await findDevices(size.devices);
  return { ...found, junk: await standJunk(size.junkPerSecond, size.junkSeconds) };
}

async function findDevices(count: number): Promise<Omit<DiscoveryFigures, 'junk'>> {
  const { child, port } = await startActor('discovery-responders.mjs', [count]);
  try {
    const times: number[] = [];
    const startedAt = performance.now();
    const run = discover({ ...onLoopback, port, windowMs: 10_000, expectedCount: count });
    for await (const { event } of run) {
      if (event === 'device-found') times.push(performance.now() - startedAt);
    }
    return {
      devices: count,
      foundWithin2s: times.filter((atMs) => atMs <= 2000).length,
      foundMs: summarize(times),
      // Every fiftieth part is enough for a plot.
      curve: times
        .map((atMs, index) => ({ found: index + 1, atMs }))
        .filter(({ found }) => found === 1 || found === count || found % Math.ceil(count / 50) === 0),
    };
  } finally {
    await end(child);
  }
}

async function standJunk(perSecond: number, seconds: number): Promise<DiscoveryFigures['junk']> {
  const { child, port } = await startActor('discovery-flood.mjs', [43_117, perSecond, seconds]);
  const collect = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  try {
    const flooded = once(child, 'message') as Promise<
      [{ readonly sent: number; readonly elapsedMs: number }]
    >;
    const heapBefore = collect();
    const peakBefore = process.memoryUsage().rss;
    let peak = peakBefore;
    let received = 0;
    const windowMs = (seconds + 2) * 1000;
    for await (const event of discover({ ...onLoopback, port, windowMs })) {
      peak = Math.max(peak, process.memoryUsage().rss);
      if (event.event === 'window-closed') ({ received } = event.summary.counters);
    }
    const [{ sent, elapsedMs }] = await flooded;
    return {
      perSecond: Math.round(sent / (elapsedMs / 1000)),
      sent,
      received,
      heapGrowthMiB: (collect() - heapBefore) / mebibyte,
      peakGrowthMiB: (Math.max(peak, process.memoryUsage().rss) - peakBefore) / mebibyte,
    };
  } finally {
    await end(child);
  }
}

/** What is garbage is no growth. A context made after the flag has the function, with no option of the program. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const onLoopback = { loopback: true, interfaces: ['127.0.0.1'] } as const;
const mebibyte = 1024 * 1024;

/** Starts an actor and waits until it says which port it listens on. */
async function startActor(
  name: string,
  args: readonly number[],
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const file = fileURLToPath(new URL(`../../actors/${name}`, import.meta.url));
  const child = fork(file, args.map(String), {
    execArgv: ['--conditions=@endorse/source'],
    stdio: 'inherit',
  });
  const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }];
  return { child, port };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  await exited;
}
