/** Step 2: the workspace's packages, exactly as the lock file says. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runStep } from './child.mjs';
import { fingerprint, isStamped, stamp } from './stamp.mjs';
import { announce } from './step.mjs';

/**
 * @param {string} root The checkout.
 * @param {{ node: string, pnpm: string, env: NodeJS.ProcessEnv }} toolchain
 * @returns {{ ready: boolean, install: () => Promise<void> }}
 */
export function locatePackages(root, toolchain) {
  const stampFile = join(root, 'node_modules/.endorse-stamp');
  const wanted = () => fingerprint(manifests(root), [toolchain.node, toolchain.pnpm]);
  return {
    get ready() {
      return isStamped(stampFile, wanted()) && existsSync(join(root, 'node_modules/.modules.yaml'));
    },
    install: async () => {
      announce('installing packages');
      await runStep({
        step: 'install packages',
        remedy:
          'after an edit of a package.json run `npm run pnpm -- install --no-frozen-lockfile`; otherwise check that `npm ping` works, then repeat',
        command: toolchain.node,
        args: [
          toolchain.pnpm,
          'install',
          '--frozen-lockfile',
          '--prefer-offline',
          '--reporter=append-only',
          // Without a terminal pnpm would otherwise stop and ask before it replaces a foreign node_modules.
          '--config.confirmModulesPurge=false',
        ],
        cwd: root,
        env: toolchain.env,
      });
      stamp(stampFile, wanted());
    },
  };
}

/** Everything an install depends on. */
function manifests(root) {
  const packages = readdirSync(join(root, 'packages'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `packages/${name}/package.json`)
    .toSorted();
  return [
    'package.json',
    'pnpm-workspace.yaml',
    'pnpm-lock.yaml',
    'harness/package.json',
    'docs/package.json',
    ...packages,
  ].map((file) => join(root, file));
}
