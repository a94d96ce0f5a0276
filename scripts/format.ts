/** `npm run format`: formats every file. */
import { join } from 'node:path';
import { runForeground } from './lib/child.mjs';
import { repositoryRoot } from './lib/root.mjs';

process.exitCode = await runForeground(
  process.execPath,
  [join(repositoryRoot, 'node_modules/oxfmt/bin/oxfmt'), ...process.argv.slice(2), '.'],
  { cwd: repositoryRoot, env: process.env },
);
