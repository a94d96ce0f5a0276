/**
 * The one entry of every `npm run …` of the checkout.
 *
 * It makes sure that what the command needs is there (Node.js and pnpm, the
 * packages, programs of the system), then runs it and passes on arguments,
 * streams, signals and the exit code. With everything in place that costs a few
 * file reads. Plain JavaScript, because it starts on the machine's own Node.js.
 */
import { join } from 'node:path';
import { runForeground } from './lib/child.mjs';
import { commands } from './lib/commands.mjs';
import { provideContainerEngine, requireContainerEngine } from './lib/container-engine.mjs';
import { withLock } from './lib/lock.mjs';
import { locatePackages } from './lib/packages.mjs';
import { repositoryRoot as root } from './lib/root.mjs';
import { StepError, explain } from './lib/step.mjs';
import { missingTools, provideTools } from './lib/system-tools.mjs';
import { locateToolchain } from './lib/toolchain.mjs';

async function main([name, ...args]) {
  const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined;
  if (command === undefined) {
    process.stderr.write(usage(name));
    return 2;
  }
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new StepError('start', `Node.js ${process.version} is too old`, 'install Node.js 20 or newer');
  }
  const toolchain = locateToolchain(root);
  const packages = locatePackages(root, toolchain);
  const wantsPackages = name !== 'pnpm';
  const ready =
    toolchain.ready && (!wantsPackages || packages.ready) && missingTools(command.tools).length === 0;
  if (!ready) {
    await withLock(join(root, '.toolchain/lock'), async () => {
      // Asked again: whoever held the lock before us may have done it.
      if (!toolchain.ready) await toolchain.install();
      if (wantsPackages && !packages.ready) await packages.install();
      await provideTools(command.tools, root);
    });
  }
  const argv = ['--conditions=@endorse/source', join(root, command.entry), ...(command.args ?? []), ...args];
  const cwd = command.fromCallersFolder ? (process.env.INIT_CWD ?? process.cwd()) : root;
  if (command.containers === 'required') await requireContainerEngine(root, toolchain);
  if (command.containers !== 'provided')
    return runForeground(toolchain.node, argv, { cwd, env: toolchain.env });
  const engine = await provideContainerEngine(root, toolchain);
  try {
    return await runForeground(toolchain.node, argv, { cwd, env: { ...toolchain.env, ...engine.env } });
  } finally {
    await engine.stop();
  }
}

function usage(name) {
  const rows = Object.entries(commands).map(
    ([key, { summary }]) => `  npm run ${key.padEnd(12)} ${summary}\n`,
  );
  return `${name === undefined ? 'no command given' : `unknown command ${name}`}; there are\n${rows.join('')}`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  explain(error);
  process.exitCode = 1;
}
