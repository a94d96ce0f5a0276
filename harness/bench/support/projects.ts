import { cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool } from '../../../scripts/checks/tool.ts';
import { packTarballs } from '../../../scripts/checks/packaging/tarballs.ts';
import { npmCommand } from '../../../scripts/lib/toolchain.mjs';
import { peerVersions } from './peer-versions.ts';

/** A project with packages installed as a user installs them, and the actors copied in. */
export interface InstalledProject extends AsyncDisposable {
  readonly folder: string;
  /** Folder that holds the copied actors. */
  readonly actors: string;
  readonly installedPackages: number;
  readonly installedBytes: number;
  /** Packages that would run a script on installation. */
  readonly withInstallScript: readonly string[];
}

const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url));
const actorsDirectory = fileURLToPath(new URL('../../actors', import.meta.url));

/** Packs the workspace and installs the named packages, and what they need, from the tarballs. */
export async function installOurs(names: readonly string[]): Promise<InstalledProject> {
  const tarballs = await packTarballs(repositoryRoot);
  const files = Object.fromEntries(
    tarballs.map(({ workspacePackage, path }) => [workspacePackage.manifest.name, `file:${path}`]),
  );
  const dependencies = Object.fromEntries(names.map((name) => [name, files[name] ?? 'missing']));
  // Siblings come from their tarballs as well, wherever they are needed; the libraries under ours, which are peers too, in the versions that a report names.
  const libraries = await peerVersions(['mqtt', 'rhea', 'undici']);
  return installProject({ dependencies, overrides: { ...files, ...libraries } });
}

/** Installs the named packages of the official SDK, and what they need, with the versions the workspace pins. */
export async function installOfficial(names: readonly string[]): Promise<InstalledProject> {
  const workspace = await readFile(join(repositoryRoot, 'pnpm-workspace.yaml'), 'utf8');
  const dependencies = Object.fromEntries(
    names.map((name) => [name, new RegExp(`^  ${name}: (.+)$`, 'm').exec(workspace)?.[1] ?? 'missing']),
  );
  return installProject({ dependencies });
}

async function installProject(manifest: {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, string>>;
}): Promise<InstalledProject> {
  const folder = await mkdtemp(join(tmpdir(), 'endorse-bench-'));
  const { dependencies } = manifest;
  const overrides = Object.fromEntries(
    Object.entries(manifest.overrides ?? {}).filter(([name]) => !(name in dependencies)),
  );
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'bench-project', private: true, dependencies, overrides }),
  );
  const [command = 'npm', ...prefix] = npmCommand();
  const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = await runTool(command, [...prefix, 'install', ...options], { cwd: folder });
  if (npm.exitCode !== 0) throw new Error(`npm install failed:\n${npm.output}`);
  const actors = join(folder, 'actors');
  await mkdir(actors);
  await cp(actorsDirectory, actors, { recursive: true });
  const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const installed = Object.entries(lock.packages).filter(([location]) => location !== '');
  return {
    folder,
    actors,
    installedPackages: installed.length,
    installedBytes: await sizeOf(join(folder, 'node_modules')),
    withInstallScript: installed
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([location]) => location.replace(/^.*node_modules\//, '')),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
