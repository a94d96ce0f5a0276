/** What a bench is. Each has a room of its own, `harness/bench/<name>/bench.ts`, and a row in `registry.ts`. */

/** `quick` is for trying out: its figures say nothing. */
export type BenchSize = 'quick' | 'full';

/** What a bench is told. */
export interface BenchContext {
  readonly size: BenchSize;
  /** Says on standard error what is being done. */
  readonly say: (text: string) => void;
}

/** One row of the README's table. */
export interface Headline {
  readonly figure: string;
  readonly endorse: string;
  readonly peer: string;
  /** Ours by the peer's. */
  readonly ratio?: number;
  /** What the ratio has to stay at or below. */
  readonly limit?: number;
}

/** How many times as long as the library under it a client of ours may take for a registration. */
export const floorLimit = 1.3;

/** A picture of figures. */
export interface BenchPlot {
  /** Part of the file's name, after the name of the bench. */
  readonly name: string;
  /** What it shows, for those who do not see it. */
  readonly alternative: string;
  readonly svg: string;
}

/**
 * A bench: measures, and renders what it measured. Figures go through JSON between the two. It runs in a process of
 * its own, see `runner/run-bench.ts`, which also ends whatever it leaves behind.
 */
export interface Bench<Figures> {
  readonly name: string;
  readonly title: string;
  /** A sentence for `--list`. */
  readonly summary: string;
  /** Rows of `scripts/lib/system-tools.mjs`. */
  readonly tools: readonly string[];
  /** npm packages and programs whose versions belong to the figures, see `support/peer-versions.ts`. */
  readonly peers: readonly string[];
  run(context: BenchContext): Promise<Figures>;
  /** The figures as Markdown tables. */
  tables(figures: Figures): string;
  headlines(figures: Figures): readonly Headline[];
  plots(figures: Figures): readonly BenchPlot[];
}

/** What is written to `reports/bench/<name>.json`. */
export interface BenchReport<Figures> {
  readonly bench: string;
  readonly size: BenchSize;
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly durationSeconds: number;
  readonly machine: Machine;
  /** Version by name. */
  readonly peers: Readonly<Record<string, string>>;
  readonly figures: Figures;
}

/** Where it was measured. */
export interface Machine {
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
}
