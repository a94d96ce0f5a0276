/** The documentation site builds, and a warning is an error: links that lead nowhere, pictures that are not there. */
import { join } from 'node:path';
import type { Check } from './check.ts';
import { runTool } from './tool.ts';

/** The check over the checkout. */
export const documentationSite: Check = {
  name: 'site',
  summary: 'the documentation site builds without a warning',
  async run(root) {
    const program = join(root, 'docs/tools/site.mjs');
    const { exitCode, output } = await runTool(process.execPath, [program], { cwd: root });
    if (exitCode === 0) return [];
    const escapes = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*m`, 'g');
    const lines = output.replace(escapes, '').split('\n');
    const problems = lines.filter((line) => /\[(warning|error)\]/.test(line));
    return (problems.length > 0 ? problems : [output]).map((message) => ({ message }));
  },
};
