/** What packages export that could decode: every function and class, and every function that an exported object holds. */
import { readFileSync } from 'node:fs';

const folderOf = (name: string): URL => new URL(`../../../packages/${name}/`, import.meta.url);

/** Names such as `protocol decodeQuery` or `tpm2 commands.Load.decodeResponse`, over all entries of the package. */
export async function exportedFunctions(packageName: string): Promise<ReadonlySet<string>> {
  const manifest = JSON.parse(readFileSync(new URL('package.json', folderOf(packageName)), 'utf8')) as {
    readonly exports: Readonly<Record<string, unknown>>;
  };
  const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
  const modules = await Promise.all(
    entries.map((entry) => import(`@endorse/${packageName}${entry.slice(1)}`) as Promise<object>),
  );
  return new Set(modules.flatMap((exported) => functionsIn(exported, `${packageName} `)));
}

/** Deeper than any exported object. */
const maxDepth = 3;

function functionsIn(value: object, prefix: string, depth = 0): readonly string[] {
  return Object.entries(value).flatMap(([name, each]: [string, unknown]) => {
    if (typeof each === 'function') return [`${prefix}${name}`];
    const isPlain =
      typeof each === 'object' && each !== null && !Array.isArray(each) && !ArrayBuffer.isView(each);
    return isPlain && depth < maxDepth ? functionsIn(each, `${prefix}${name}.`, depth + 1) : [];
  });
}
