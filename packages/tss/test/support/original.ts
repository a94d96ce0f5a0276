/** tss.js 2.0.0 as it is on npm, beside ours: the oracle for bytes, and the witness of the defects that were mended. */
import { createRequire } from 'node:module';
import type * as TssJs from 'tss.js';

/** The package as published; its native dependencies are removed by the workspace and never reached here. */
export const original = createRequire(import.meta.url)('tss.js') as typeof TssJs;
