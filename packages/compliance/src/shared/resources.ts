/** What keeps the process alive, by kind: sockets, servers, pipes and timers. */
export type ResourceCounts = Readonly<Record<string, number>>;

/** Counts sockets, servers, pipes, lookups and timers that are active now. */
export function countResources(): ResourceCounts {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) {
    if (/TCP|TLS|Pipe|UDP|Timeout|GetAddrInfo|FSReq|Worker|ChildProcess|ProcessWrap/.test(name)) {
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}

/**
 * Waits until nothing is active that was not active before; throws with the difference after five seconds.
 * Closing a socket takes a few turns of the event loop, on either side.
 */
export async function settleTo(before: ResourceCounts): Promise<void> {
  await eventually(
    () => excess(before).length === 0,
    () => `left behind: ${excess(before).join(', ')}`,
  );
}

/** Waits until `condition` holds; throws with `describe()` after five seconds. */
export async function eventually(condition: () => boolean, describe: () => string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(describe());
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function excess(before: ResourceCounts): string[] {
  return Object.entries(countResources())
    .filter(([name, count]) => count > (before[name] ?? 0))
    .map(([name, count]) => `${count - (before[name] ?? 0)} × ${name}`);
}
