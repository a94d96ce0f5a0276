import type { Bench } from './bench.ts';
import { carriersBench } from './carriers/bench.ts';
import { ceremonyBench } from './ceremony/bench.ts';
import { cryptographyBench } from './cryptography/bench.ts';
import { discoveryBench } from './discovery/bench.ts';
import { emulatorBench } from './emulator/bench.ts';
import { fleetBench } from './fleet/bench.ts';
import { registrarBench } from './registrar/bench.ts';
import { registrationBench } from './registration/bench.ts';
import { scaleBench } from './scale/bench.ts';
import { tokensBench } from './tokens/bench.ts';

/** All benches, in the order in which they run and are read. */
export const benches: readonly Bench<unknown>[] = [
  registrationBench,
  ceremonyBench,
  carriersBench,
  cryptographyBench,
  emulatorBench,
  scaleBench,
  discoveryBench,
  fleetBench,
  tokensBench,
  registrarBench,
];
