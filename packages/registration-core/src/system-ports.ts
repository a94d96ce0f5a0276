/**
 * The one place of this package that reaches for the real world, and only when
 * the caller gives no port of his own.
 */
import type { Clock, RandomSource } from '@endorse/interface';
import { systemClock, systemRandom } from '@endorse/interface/node';

/** The ports a registration runs on unless it is told otherwise. */
export const systemPorts: { readonly clock: Clock; readonly random: RandomSource } = Object.freeze({
  clock: systemClock,
  random: systemRandom,
});
