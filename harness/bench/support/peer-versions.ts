import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runTool } from '../../../scripts/checks/tool.ts';
import { program } from '../../suites/registrar/postgresql.ts';

/** Programs, and what prints their version. Every other peer is an npm package. */
const programs: Readonly<Record<string, () => readonly [command: string, ...args: string[]]>> = {
  swtpm: () => ['swtpm', '--version'],
  PostgreSQL: () => [program('postgres'), '--version'],
};

/** Versions by name: of npm packages as the workspace has them installed, of programs as they print them. */
export async function peerVersions(names: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const entries: (readonly [string, string])[] = [];
  for (const name of names) entries.push([name, await versionOf(name)]);
  return Object.fromEntries(entries);
}

async function versionOf(name: string): Promise<string> {
  const asProgram = programs[name];
  if (asProgram === undefined) {
    const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
    const { version } = JSON.parse(await readFile(fileURLToPath(manifest), 'utf8')) as { version: string };
    return version;
  }
  const [command, ...args] = asProgram();
  const { output } = await runTool(command, args, { cwd: process.cwd() });
  const version = /\d+(?:\.\d+)+/.exec(output)?.[0];
  if (version === undefined) throw new Error(`${name} printed no version: ${output}`);
  return version;
}
