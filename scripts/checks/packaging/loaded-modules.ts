/** Which third-party packages an entry may load when it is imported. */

/**
 * Entries that load third-party code at import, and what. An entry that is not
 * here loads none: HTTP must not come with the contracts, nor native code with
 * the TPM. Dependencies of what is named here are allowed with it.
 */
export const allowedModules: Readonly<Record<string, readonly string[]>> = Object.freeze({
  '@endorse/dynamic-registration': ['jose'],
  '@endorse/dynamic-registration/server': ['jose'],
  '@endorse/dynamic-registration/tokens': ['jose'],
  // What a run cannot do without: the client of gateways, and the readers of what people write.
  '@endorse/provisioning-utility': ['csv-parse', 'undici', 'yaml'],
  '@endorse/thingspro-edge': ['undici'],
});

/** The packages of a lock file: name to names of its dependencies. */
export type DependencyNames = Readonly<Record<string, readonly string[]>>;

/** Names of the third-party packages among loaded module URLs. */
export function thirdPartyModules(urls: readonly string[]): string[] {
  const names = urls.flatMap((url) => {
    const path = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
    return path === undefined || path.startsWith('@endorse/') ? [] : [path];
  });
  return [...new Set(names)].toSorted();
}

/** Lists loaded third-party packages that the entry may not load. */
export function forbiddenModules(
  entry: string,
  urls: readonly string[],
  dependencyNames: DependencyNames,
  allowed: Readonly<Record<string, readonly string[]>> = allowedModules,
): string[] {
  const reachable = new Set<string>();
  const visit = (name: string): void => {
    if (reachable.has(name)) return;
    reachable.add(name);
    dependencyNames[name]?.forEach(visit);
  };
  allowed[entry]?.forEach(visit);
  return thirdPartyModules(urls).filter((name) => !reachable.has(name));
}
