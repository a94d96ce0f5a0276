/** Every check, in the order they run. */
import type { Check } from './check.ts';
import { formatting, linting } from './oxc.ts';
import { types } from './types.ts';

export const checks: readonly Check[] = Object.freeze([formatting, linting, types]);
