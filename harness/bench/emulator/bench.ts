import type { Bench } from '../bench.ts';
import type { Both } from '../support/both-storages.ts';
import { measureBoth } from '../support/both-storages.ts';
import { installOurs } from '../support/projects.ts';
import type { Summary } from '../support/statistics.ts';
import type { StorageFigures } from './load.ts';
import { measureLoad } from './load.ts';
import { plotEmulator } from './plots.ts';
import { renderEmulator } from './render.ts';
import type { StartFigures } from './starts.ts';
import { measureStarts } from './starts.ts';
import { measureSync } from './sync.ts';

/** Everything measured about an emulator that starts and one that is loaded. */
export interface EmulatorFigures {
  /** One write of a page that the disk has to confirm. */
  readonly syncMs: Summary;
  readonly starts: Both<StartFigures>;
  readonly load: Both<StorageFigures>;
}

/** What the emulator takes to start and what it bears, in memory and on SQLite. */
export const emulatorBench: Bench<EmulatorFigures> = {
  name: 'emulator',
  title: 'The emulator: start and load',
  summary:
    'what the emulator takes to start, and what it bears from one device to a thousand, in memory and on SQLite',
  tools: [],
  peers: [],
  run: async ({ size, say }) => {
    const { starts, ...load } =
      size === 'quick'
        ? { starts: 2, concurrency: [1, 20], durationMs: 1_000 }
        : { starts: 9, concurrency: [1, 100, 1_000], durationMs: 5_000 };
    say('installing the packed emulator into an empty project');
    await using project = await installOurs(['@endorse/emulator']);
    const { actors } = project;
    const syncMs = await measureSync();
    say('starting fresh processes');
    const started = await measureBoth((storage) => measureStarts(actors, storage, starts));
    say('loading the emulator from other processes');
    return { syncMs, starts: started, load: await measureLoad({ actors, ...load, say }) };
  },
  tables: renderEmulator,
  headlines: () => [],
  plots: plotEmulator,
};
