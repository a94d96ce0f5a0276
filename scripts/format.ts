/** `npm run format`: renders the generated parts of documents, then formats every file. */
import { join } from 'node:path';
import { renderSections } from './checks/generated.ts';
import { runForeground } from './lib/child.mjs';
import { repositoryRoot } from './lib/root.mjs';

await renderSections(repositoryRoot);
process.exitCode = await runForeground(
  process.execPath,
  [join(repositoryRoot, 'node_modules/oxfmt/bin/oxfmt'), ...process.argv.slice(2), '.'],
  { cwd: repositoryRoot, env: process.env },
);
