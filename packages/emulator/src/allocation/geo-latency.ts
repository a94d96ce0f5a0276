import { pickHashed } from './hashed.ts';
import type { LinkedHub } from './linked-hub.ts';

/** Picks the hub with the least latency of those that have one for the device; among equals, `hashed` decides. Undefined for no hub. */
export function pickNearest<Hub extends LinkedHub>(
  registrationId: string,
  hubs: readonly Hub[],
): Hub | undefined {
  const latencies = hubs.map((hub) => findLatency(registrationId, hub));
  const least = Math.min(...latencies);
  return pickHashed(
    registrationId,
    hubs.filter((_, index) => latencies[index] === least),
  );
}

function findLatency(registrationId: string, { latenciesMs = {} }: LinkedHub): number {
  const id = registrationId.toLowerCase();
  const fitting = Object.entries(latenciesMs).filter(([prefix]) => id.startsWith(prefix.toLowerCase()));
  const [longest] = fitting.toSorted(([left], [right]) => right.length - left.length);
  return longest?.[1] ?? Infinity;
}
