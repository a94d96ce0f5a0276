/** The workspace as the checks see it: its packages, their manifests and their files. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The parts of a package.json that checks read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** A package of the workspace. */
export interface WorkspacePackage {
  /** Without the scope, as the dependency table has it. */
  readonly name: string;
  /** From the root of the checkout, for example `packages/tpm2`. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** Files below the folder, relative to it, that belong to the repository. */
  readonly files: readonly string[];
}

/** The scope of every package here. */
export const scope = '@endorse/';

/** Every file that is or would be committed, sorted, relative to the root. */
export function repositoryFiles(root: string): string[] {
  const listing = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  const deleted = new Set(
    execFileSync('git', ['ls-files', '-z', '--deleted'], { cwd: root, encoding: 'utf8' }).split('\0'),
  );
  return listing
    .split('\0')
    .filter((file) => file !== '' && !deleted.has(file))
    .toSorted();
}

/** Every package of the workspace, by folder. */
export function readWorkspace(root: string): WorkspacePackage[] {
  const files = repositoryFiles(root);
  return files
    .filter((file) => /^(packages\/[^/]+|harness)\/package\.json$/.test(file))
    .map((file) => {
      const folder = file.slice(0, -'/package.json'.length);
      const manifest = readManifest(join(root, file));
      return {
        name: manifest.name.slice(scope.length),
        folder,
        manifest,
        files: files
          .filter((path) => path.startsWith(`${folder}/`))
          .map((path) => path.slice(folder.length + 1)),
      };
    });
}

/** Reads a package.json. */
export function readManifest(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
}
