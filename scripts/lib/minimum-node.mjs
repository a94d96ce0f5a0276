/** The oldest Node.js the published packages support, for the checks that try it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pinned } from './pinned.mjs';
import { npmInstall } from './toolchain.mjs';

/**
 * Fetches it into `.toolchain/` when it is not there.
 *
 * @param {string} root The checkout.
 * @returns {Promise<string | undefined>} The program; undefined where there is no package of it.
 */
export async function locateMinimumNode(root) {
  const name = pinned.nodePackages[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  const folder = join(root, '.toolchain', `node-${pinned.minimumNode}`);
  const program = join(folder, 'node_modules', name, 'bin/node');
  if (existsSync(program)) return program;
  await npmInstall(folder, [`${name}@${pinned.minimumNode}`], {
    step: 'provide the oldest supported Node.js',
    remedy: 'check that `npm ping` works, then repeat',
  });
  return program;
}
