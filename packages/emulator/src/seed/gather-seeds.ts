import type { EmulatorCore } from '../core/core.ts';
import type { EmulatorOptions } from '../emulator-options.ts';
import { decodeSeed } from './decode-seed.ts';
import type { EmulatorSeed } from './seed.ts';
import { readSeedFile } from './seed-file.ts';

/** The seeds of a start: that of the options, and that of a file. */
export interface Seeds {
  /** The options with the hubs and faults of the seeds. */
  addTo(options: EmulatorOptions): EmulatorOptions;
  /** Writes the rest. Throws `ERR_INVALID_ARGUMENT` or, for the file, `ERR_EMULATOR_SEED`. */
  apply(core: EmulatorCore): void;
}

/** Reads the seeds, before anything is opened. Rejects with `ERR_INVALID_ARGUMENT`, `ERR_OUT_OF_RANGE` or `ERR_EMULATOR_SEED`. */
export async function gatherSeeds({
  seed: given,
  seedFile,
}: Pick<EmulatorOptions, 'seed' | 'seedFile'>): Promise<Seeds> {
  const inline: EmulatorSeed = given === undefined ? {} : decodeSeed(given);
  const file = seedFile === undefined ? undefined : await readSeedFile(seedFile);
  return {
    addTo: (options) => {
      const hubs = options.hubs ?? inline.hubs ?? file?.seed.hubs;
      const faults = [...(options.faults ?? []), ...(inline.faults ?? []), ...(file?.seed.faults ?? [])];
      return { ...options, faults, ...(hubs === undefined ? {} : { hubs }) };
    },
    apply: (core) => {
      core.applySeed(inline);
      if (file === undefined) return;
      try {
        core.applySeed(file.seed);
      } catch (error) {
        throw file.locate(error);
      }
    },
  };
}
