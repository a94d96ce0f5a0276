import type { Summary } from '../support/statistics.ts';
import { summarize } from '../support/statistics.ts';
import { startEmulatorProcess } from '../support/emulator-process.ts';

/** A fresh process with an emulator. */
export interface StartFigures {
  /** From the start of the process until it says where it listens, in milliseconds. */
  readonly readyMs: Summary;
  /** Of that: loading the package. */
  readonly importMs: Summary;
  /** Of that: `startEmulator`. */
  readonly startMs: Summary;
  /** Resident memory when it listens. */
  readonly rssMiB: Summary;
}

/** Starts an emulator `turns` times, each in a fresh process with a fresh directory. */
export async function measureStarts(
  actors: string,
  storage: 'memory' | 'sqlite',
  turns: number,
): Promise<StartFigures> {
  const starts = [];
  for (let turn = 0; turn < turns; turn += 1) {
    await using emulator = await startEmulatorProcess({ actors, storage, devices: 0 });
    starts.push({ ...emulator.ready, readyMs: emulator.readyMs });
  }
  return {
    readyMs: summarize(starts.map(({ readyMs }) => readyMs)),
    importMs: summarize(starts.map(({ importMs }) => importMs)),
    startMs: summarize(starts.map(({ startMs }) => startMs)),
    rssMiB: summarize(starts.map(({ rssMiB }) => rssMiB)),
  };
}
