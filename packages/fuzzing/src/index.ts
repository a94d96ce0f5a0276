/**
 * Private test support for every fuzz test: one engine that damages recordings, and one budget of time with a seed.
 *
 * @example
 * ```ts
 * import { createFuzzGroup, mutatedBytes } from '@endorse/fuzzing';
 * import * as fc from 'fast-check';
 *
 * const group = createFuzzGroup('example', [{ name: 'Buffer.from' }]);
 * const inputs = mutatedBytes([Buffer.from('a recording')]);
 * for (const target of group.targets) {
 *   await group.run(target, 100, fc.property(inputs, (bytes) => Buffer.from(bytes).equals(bytes)));
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { ByteMutation } from './byte-mutations.ts';
export { byteMutations, mutateBytes, mutatedBytes, noise } from './byte-mutations.ts';
export type { FuzzBudget } from './fuzz-budget.ts';
export { readFuzzBudget } from './fuzz-budget.ts';
export type { FuzzGroup, FuzzTarget } from './fuzz-group.ts';
export { createFuzzGroup } from './fuzz-group.ts';
export type { FuzzGroupReport, FuzzOutcome } from './fuzz-report.ts';
export { renderFuzzReport } from './fuzz-report.ts';
export { mutatedJson } from './json-mutations.ts';
export type { RecordedSession } from './session-mutations.ts';
export { mutatedSession } from './session-mutations.ts';
export { inheritedNames, mutatedText } from './text-mutations.ts';
