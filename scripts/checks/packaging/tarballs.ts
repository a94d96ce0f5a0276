/** Builds every published package and packs it, once a run. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../../lib/lock.mjs';
import { turboArguments, turboEnvironment } from '../../lib/turbo.mjs';
import { locateToolchain } from '../../lib/toolchain.mjs';
import { runTool } from '../tool.ts';
import { type WorkspacePackage, readWorkspace } from '../workspace.ts';

/** A package as it would go to the registry. */
export interface Tarball {
  readonly workspacePackage: WorkspacePackage;
  /** The packed file. */
  readonly path: string;
}

let packed: Promise<readonly Tarball[]> | undefined;

/** The tarballs of all published packages; built and packed on the first call. */
export function packTarballs(root: string): Promise<readonly Tarball[]> {
  // Two runs in one checkout would delete each other's dist/.
  packed ??= withLock(join(root, '.toolchain/packaging.lock'), () => buildAndPack(root));
  return packed;
}

async function buildAndPack(root: string): Promise<readonly Tarball[]> {
  const { node, pnpm, env } = locateToolchain(root);
  const workspacePackages = readWorkspace(root).filter(({ manifest }) => manifest.private !== true);
  for (const { folder } of workspacePackages) {
    // A source file that is gone must not live on in dist/; unchanged packages come back from turbo's cache.
    rmSync(join(root, folder, 'dist'), { recursive: true, force: true });
  }
  const build = await runTool(node, turboArguments(root, []), { cwd: root, env: turboEnvironment(env) });
  if (build.exitCode !== 0) throw new Error(`the build failed:\n${errorLines(build.output)}`);

  const destination = join(root, 'reports/tarballs');
  rmSync(destination, { recursive: true, force: true });
  mkdirSync(destination, { recursive: true });
  const tarballs: Tarball[] = [];
  for (const workspacePackage of workspacePackages) {
    const { folder, name } = workspacePackage;
    const target = join(destination, name);
    mkdirSync(target);
    const pack = await runTool(node, [pnpm, 'pack', '--pack-destination', target], {
      cwd: join(root, folder),
      env,
    });
    const [file, ...others] = readdirSync(target);
    if (pack.exitCode !== 0 || file === undefined || others.length > 0) {
      throw new Error(`pnpm pack in ${folder} failed:\n${pack.output}`);
    }
    tarballs.push({ workspacePackage, path: join(target, file) });
  }
  return tarballs;
}

/** Of turbo's long output, the lines that tell why. */
function errorLines(output: string): string {
  const lines = output.split('\n').filter((line) => /: error |✘|ERROR|^Failed/.test(line));
  return lines.length === 0 ? output : lines.join('\n');
}
