/** Every check, in the order they run. */
import type { Check } from './check.ts';
import { dependencies } from './dependencies.ts';
import { docComments } from './doc-comments.ts';
import { formatting, linting } from './oxc.ts';
import { purity } from './purity.ts';
import { types } from './types.ts';

export const checks: readonly Check[] = Object.freeze([
  formatting,
  linting,
  types,
  dependencies,
  purity,
  docComments,
]);
