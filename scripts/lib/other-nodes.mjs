/** Further versions of Node.js that the published packages are tried on. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pinned } from './pinned.mjs';
import { npmInstall } from './toolchain.mjs';

/**
 * The oldest supported one; fetched into `.toolchain/` when it is not there.
 *
 * @param {string} root The checkout.
 * @returns {Promise<string | undefined>} The program; undefined where there is no package of it.
 */
export function locateMinimumNode(root) {
  return locateNode(root, pinned.minimumNode);
}

/**
 * The newest one, likewise.
 *
 * @param {string} root The checkout.
 * @returns {Promise<string | undefined>}
 */
export function locateNewestNode(root) {
  return locateNode(root, pinned.newestNode);
}

async function locateNode(root, version) {
  const name = pinned.nodePackages[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  const folder = join(root, '.toolchain', `node-${version}`);
  const program = join(folder, 'node_modules', name, 'bin/node');
  if (existsSync(program)) return program;
  await npmInstall(folder, [`${name}@${version}`], {
    step: `provide Node.js ${version}`,
    remedy: 'check that `npm ping` works, then repeat',
  });
  return program;
}
