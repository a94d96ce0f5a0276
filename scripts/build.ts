/** `npm run build`: compiles every package, in the order of their dependencies. */
import { runForeground } from './lib/child.mjs';
import { repositoryRoot } from './lib/root.mjs';
import { turboArguments, turboEnvironment } from './lib/turbo.mjs';

process.exitCode = await runForeground(
  process.execPath,
  turboArguments(repositoryRoot, process.argv.slice(2)),
  {
    cwd: repositoryRoot,
    env: turboEnvironment(process.env),
  },
);
