/**
 * Enforces the dependency table: on every import of every file, and on every
 * package.json. No package, no file cycle; nothing used that is not declared,
 * nothing declared that is not used.
 */
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import type { Check, Finding } from './check.ts';
import { findCycles } from './cycles.ts';
import { type PackageRule, dependencyTable } from './dependency-table.ts';
import { type ImportReference, packageOf, readImports } from './imports.ts';
import { type Manifest, type WorkspacePackage, readManifest, readWorkspace, scope } from './workspace.ts';

/** What {@link dependencyFindings} looks at; tests hand in a made-up workspace. */
export interface DependencyInput {
  readonly packages: readonly WorkspacePackage[];
  readonly table: Readonly<Record<string, PackageRule>>;
  /** Development tools of the root that tests of every package may import. */
  readonly rootTools: readonly string[];
  /** Text of a file, by its path from the root. */
  readonly read: (file: string) => string;
}

/** The check over the checkout. */
export const dependencies: Check = {
  name: 'dependencies',
  summary: 'packages import what the dependency table allows and package.json declares',
  async run(root) {
    const rootTools = Object.keys(readManifest(join(root, 'package.json')).devDependencies ?? {});
    return dependencyFindings({
      packages: readWorkspace(root),
      table: dependencyTable,
      rootTools,
      read: (file) => readFileSync(join(root, file), 'utf8'),
    });
  },
};

/** Lists every violation. */
export function dependencyFindings(input: DependencyInput): Finding[] {
  return [
    ...input.packages.flatMap((workspacePackage) => packageFindings(workspacePackage, input)),
    ...packageCycles(input.packages),
  ];
}

interface FileImports {
  readonly file: string;
  readonly published: boolean;
  readonly references: readonly ImportReference[];
}

function packageFindings(workspacePackage: WorkspacePackage, input: DependencyInput): Finding[] {
  const { name, folder, manifest, files } = workspacePackage;
  const rule = input.table[name];
  if (rule === undefined) {
    return [
      { file: `${folder}/package.json`, message: `${scope}${name} has no row in the dependency table` },
    ];
  }
  const sources: FileImports[] = files
    .filter((file) => /\.[cm]?[jt]s$/.test(file))
    .map((file) => ({
      file: `${folder}/${file}`,
      published: manifest.private !== true && isPublished(file),
      references: readImports(file, input.read(`${folder}/${file}`)),
    }));
  return [
    ...sources.flatMap((source) =>
      source.references.flatMap((reference) =>
        referenceProblems(reference, source, workspacePackage, rule, input.rootTools).map((message) => ({
          file: source.file,
          line: reference.line,
          message,
        })),
      ),
    ),
    ...manifestFindings(workspacePackage, rule, sources, peersOf(manifest, input.packages)),
    ...fileCycles(sources),
    ...(manifest.name === `${scope}${name}` ? [] : [{ file: folder, message: 'is not in the scope' }]),
  ];
}

/** Of a published package, `src` and `bin` go to the registry, everything else stays here. */
function isPublished(file: string): boolean {
  return file.startsWith('src/') || file.startsWith('bin/');
}

function referenceProblems(
  { specifier }: ImportReference,
  { file, published }: FileImports,
  { folder, manifest }: WorkspacePackage,
  rule: PackageRule,
  rootTools: readonly string[],
): string[] {
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(file), specifier);
    if (!target.startsWith(`${folder}/`)) {
      const isTooling = rule.seesRepository === true && !published && target.startsWith('scripts/');
      return isTooling ? [] : [`${specifier} leaves the package; import it by name`];
    }
    if (published && !isPublished(target.slice(folder.length + 1))) {
      return [`published code imports ${specifier}, which is not published`];
    }
    return [];
  }
  if (isBuiltin(specifier)) return [];
  const target = packageOf(specifier);
  if (target === manifest.name)
    return published ? [`${specifier}: a package does not import itself by name`] : [];
  const problems: string[] = [];
  if (target.startsWith(scope) && !isAllowed(specifier.slice(scope.length), rule, published)) {
    problems.push(
      `${specifier} is not allowed ${published ? 'here' : 'in its tests'} by the dependency table`,
    );
  }
  const runtime = [manifest.dependencies, manifest.peerDependencies, manifest.optionalDependencies];
  const declared = (published ? runtime : [...runtime, manifest.devDependencies]).some(
    (group) => group !== undefined && Object.hasOwn(group, target),
  );
  if (!declared && (published || !rootTools.includes(target))) {
    problems.push(`${target} is not declared in ${published ? 'dependencies' : 'any dependencies'}`);
  }
  return problems;
}

function isAllowed(target: string, rule: PackageRule, published: boolean): boolean {
  const allowed = published ? rule.imports : [...rule.imports, ...(rule.testImports ?? [])];
  return allowed.some((entry) =>
    entry.includes('/') ? target === entry : target === entry || target.startsWith(`${entry}/`),
  );
}

function manifestFindings(
  { folder, manifest }: WorkspacePackage,
  rule: PackageRule,
  sources: readonly FileImports[],
  peers: ReadonlySet<string>,
): Finding[] {
  const used = (published: boolean): Set<string> =>
    new Set(
      sources
        .filter((source) => !published || source.published)
        .flatMap(({ references }) => references.map(({ specifier }) => packageOf(specifier))),
    );
  const messages: string[] = [];
  // What never reaches a registry has no run time of its own to keep small.
  const isPrivate = manifest.private === true;
  const groups: [keyof Manifest & string, boolean][] = [
    ['dependencies', !isPrivate],
    ['optionalDependencies', !isPrivate],
    ['devDependencies', false],
  ];
  for (const [group, runtime] of groups) {
    const usedHere = used(runtime);
    const entries = [...rule.imports, ...(runtime ? [] : (rule.testImports ?? []))];
    const allowed = new Set(entries.map((entry) => `${scope}${entry.split('/')[0]}`));
    for (const [name, range] of Object.entries((manifest[group] ?? {}) as Record<string, string>)) {
      const own = name.startsWith(scope);
      if (own && !allowed.has(name)) {
        messages.push(`${group} names ${name}, which the dependency table does not allow`);
      }
      const needed =
        usedHere.has(name.replace(/^@types\//, '')) ||
        peers.has(name) ||
        isUsedWithoutImport(name, manifest) ||
        (own && rule.seesRepository);
      if (!needed) messages.push(`${group} names ${name}, which nothing imports`);
      const wanted = own ? 'workspace:^' : 'catalog:';
      if (range !== wanted) messages.push(`${group}: ${name} must be ${wanted}, not ${range}`);
    }
  }
  return messages.map((message) => ({ file: `${folder}/package.json`, message }));
}

/** Peers are repeated in devDependencies so that they are installed here, and build tools are named by scripts. */
function isUsedWithoutImport(name: string, { peerDependencies, scripts }: Manifest): boolean {
  return (
    Object.hasOwn(peerDependencies ?? {}, name) ||
    Object.values(scripts ?? {}).some((script) => script.split(/\s+/).includes(name))
  );
}

/** What the packages it depends on leave to it to bring along. */
function peersOf(user: Manifest, packages: readonly WorkspacePackage[]): ReadonlySet<string> {
  const used = packages.filter(({ manifest }) => Object.hasOwn(user.dependencies ?? {}, manifest.name));
  return new Set(used.flatMap(({ manifest }) => Object.keys(manifest.peerDependencies ?? {})));
}

function packageCycles(packages: readonly WorkspacePackage[]): Finding[] {
  const edges = new Map(
    packages.map(({ manifest }) => [
      manifest.name,
      [manifest.dependencies, manifest.devDependencies, manifest.peerDependencies].flatMap((group) =>
        Object.keys(group ?? {}).filter((name) => name.startsWith(scope)),
      ),
    ]),
  );
  return findCycles(edges).map((cycle) => ({
    message: `packages depend on each other: ${cycle.join(' → ')}`,
  }));
}

/** Cycles of what is left at run time; types may refer to each other. */
function fileCycles(sources: readonly FileImports[]): Finding[] {
  const edges = new Map(
    sources.map(({ file, references }) => [
      file,
      references
        .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
        .map(({ specifier }) => posix.join(posix.dirname(file), specifier)),
    ]),
  );
  return findCycles(edges).map((cycle) => ({
    file: cycle[0],
    message: `imports itself: ${cycle.join(' → ')}`,
  }));
}
