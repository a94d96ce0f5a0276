/** The public API of the packages others build on, as reports that are read in a diff. */
import { join } from 'node:path';
import type { Check } from './check.ts';
import { packTarballs } from './packaging/tarballs.ts';
import { runTool } from './tool.ts';

/** Where the reports are made; the program compares them, or writes them with `--write`. */
export const apiReportTool = 'docs/tools/api-reports.mjs';

/** The check over the checkout. */
export const apiReports: Check = {
  name: 'api-reports',
  summary: 'the reports in docs/api say what the public API is',
  async run(root) {
    // The reports are made of what is built, and the packing builds.
    const built = await packTarballs(root).catch(() => []);
    if (built.length === 0) return [{ message: 'there is nothing to report on; see the tarballs check' }];
    const { exitCode, output } = await runTool(process.execPath, [join(root, apiReportTool)], { cwd: root });
    if (exitCode === 0) return [];
    const stale = output.split('\n').filter((line) => /^docs\/api\/.*\.api\.md$/.test(line));
    if (stale.length === 0) return [{ message: `${apiReportTool} failed:\n${output}` }];
    return stale.map((file) => ({
      file,
      message: 'is not what the code says; run `npm run api` and read the difference',
    }));
  },
};
