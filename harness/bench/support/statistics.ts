/** A series in a few numbers: what noisy machines allow to be said. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly p5: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Summarises a series of at least one number. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((left, right) => left - right);
  return {
    count: sorted.length,
    min: quantile(sorted, 0),
    p5: quantile(sorted, 0.05),
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: quantile(sorted, 1),
  };
}

/** Median of the pairwise ratios left/right, so that drift of the machine's speed cancels out. */
export function medianRatio(left: readonly number[], right: readonly number[]): number {
  const pairs = Math.min(left.length, right.length);
  return summarize(Array.from({ length: pairs }, (_, index) => (left[index] ?? 0) / (right[index] ?? 1)))
    .median;
}

function quantile(sorted: readonly number[], fraction: number): number {
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)] ?? 0;
  const above = sorted[Math.ceil(position)] ?? below;
  return below + (above - below) * (position - Math.floor(position));
}
