/** An empty project with packed packages installed as a user would install them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npmCommand } from '../../lib/toolchain.mjs';
import { runTool } from '../tool.ts';
import type { DependencyNames } from './loaded-modules.ts';
import type { Tarball } from './tarballs.ts';

/** A package of npm's lock file, as far as we read it. */
interface LockedPackage {
  readonly version?: string;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** npm's lock file, as far as we read it. */
export interface NpmLock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** An installed project; disposing of it deletes it. */
export interface EmptyProject extends Disposable {
  readonly folder: string;
  readonly lock: NpmLock;
}

/**
 * Makes the project and installs the tarballs, install scripts refused. It lies
 * outside the checkout: nothing may resolve from the checkout's node_modules.
 */
export async function installTarballs(tarballs: readonly Tarball[]): Promise<EmptyProject> {
  const folder = mkdtempSync(join(tmpdir(), 'endorse-project-'));
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });
  const dependencies = Object.fromEntries(
    tarballs.map(({ workspacePackage, path }) => [workspacePackage.manifest.name, `file:${path}`]),
  );
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'empty-project', private: true, type: 'module', dependencies }),
  );
  const [command = 'npm', ...prefix] = npmCommand();
  const options = [
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--strict-peer-deps',
  ];
  const npm = await runTool(command, [...prefix, 'install', ...options], { cwd: folder });
  if (npm.exitCode !== 0) {
    dispose();
    throw new Error(`npm install in the empty project failed:\n${npm.output}`);
  }
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as NpmLock;
  return { folder, lock, [Symbol.dispose]: dispose };
}

/** Names the packages that would run a script on installation. */
export function packagesWithInstallScripts({ packages }: NpmLock): string[] {
  return Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([location]) => nameAt(location));
}

/** Dependencies of every installed package, by name. */
export function dependencyNames({ packages }: NpmLock): DependencyNames {
  return Object.fromEntries(
    Object.entries(packages).map(([location, { dependencies }]) => [
      nameAt(location),
      Object.keys(dependencies ?? {}),
    ]),
  );
}

function nameAt(location: string): string {
  return location.replace(/^.*node_modules\//, '');
}
