import type { RandomSource } from '@endorse/interface';

/** Probes of a run, in milliseconds after the first: the pauses double, as every multicast protocol's do. */
const repeatsAtMs: readonly number[] = [250, 750, 1750];
/** Many tools started at once must not ask at once. */
const firstWithinMs = 100;
/** Each repeat moves by at most this share of its time. */
const jitter = 0.2;

/** When to send the same probe, in milliseconds from the start of the run, ascending. */
export function sendTimes(random: RandomSource): readonly number[] {
  const first = Math.floor(uniform(random) * (firstWithinMs + 1));
  return [
    first,
    ...repeatsAtMs.map((atMs) => first + Math.round(atMs * (1 + (uniform(random) * 2 - 1) * jitter))),
  ];
}

/** A number from 0 up to, not including, 1. */
export function uniform(random: RandomSource): number {
  const bytes = random.bytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32;
}

/** A probe's id: 128 random bits as base64url. */
export function createProbeId(random: RandomSource): string {
  return Buffer.from(random.bytes(16)).toString('base64url');
}
