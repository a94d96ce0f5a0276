/** `npm run api`: builds the packages and writes the reports of their public API. */
import { join } from 'node:path';
import { apiReportTool } from './checks/api-reports.ts';
import { runForeground } from './lib/child.mjs';
import { repositoryRoot as root } from './lib/root.mjs';
import { turboArguments, turboEnvironment } from './lib/turbo.mjs';

const env = turboEnvironment(process.env);
const built = await runForeground(process.execPath, turboArguments(root, []), { cwd: root, env });
process.exitCode =
  built === 0
    ? await runForeground(process.execPath, [join(root, apiReportTool), '--write'], { cwd: root, env })
    : built;
