/**
 * Changesets: what the next release will say about each published package.
 *
 * A package that was never released, or whose published files changed since its
 * CHANGELOG.md did, must be named by a changeset. That needs no base branch, so
 * it works in a clone of any depth.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Check, Finding } from './check.ts';
import { type WorkspacePackage, readWorkspace } from './workspace.ts';

/** One file of `.changeset/`. */
export interface Changeset {
  readonly file: string;
  readonly text: string;
}

/** The check over the checkout. */
export const changesets: Check = {
  name: 'changesets',
  summary: 'published packages that changed since their release have a changeset',
  async run(root) {
    const folder = join(root, '.changeset');
    const files = readdirSync(folder).filter((file) => file.endsWith('.md') && file !== 'README.md');
    return changesetFindings(
      readWorkspace(root),
      files.map((file) => ({ file: `.changeset/${file}`, text: readFileSync(join(folder, file), 'utf8') })),
      (workspacePackage) => changedSinceRelease(root, workspacePackage),
    );
  },
};

/** Lists malformed changesets and packages that lack one. */
export function changesetFindings(
  packages: readonly WorkspacePackage[],
  files: readonly Changeset[],
  hasChanged: (workspacePackage: WorkspacePackage) => boolean,
): Finding[] {
  const published = new Map(
    packages.filter(({ manifest }) => manifest.private !== true).map((entry) => [entry.manifest.name, entry]),
  );
  const named = new Set<string>();
  const findings: Finding[] = [];
  for (const { file, text } of files) {
    const [, header, body] = /^---\n([^]*?)\n---\n([^]*)$/.exec(text) ?? [];
    if (header === undefined || body === undefined) {
      findings.push({ file, message: 'has no front matter' });
      continue;
    }
    for (const line of header.split('\n').filter((row) => row.trim() !== '')) {
      const [, name, bump] = /^['"]?([^'":]+)['"]?:\s*(\w+)\s*$/.exec(line) ?? [];
      if (name === undefined || !published.has(name))
        findings.push({ file, message: `${line}: is no published package` });
      else if (bump !== 'patch' && bump !== 'minor')
        findings.push({ file, message: `${line}: before 1.0 it is patch or minor` });
      else named.add(name);
    }
    if (!/^\S[^]*[.!?]$/.test(body.trim()))
      findings.push({ file, message: 'must say in a sentence what changed for the user' });
  }
  for (const [name, entry] of published) {
    if (named.has(name)) continue;
    if (entry.manifest.version === '0.0.0' || hasChanged(entry)) {
      findings.push({
        file: entry.folder,
        message: `${name} changed and no changeset names it; run \`npm run changeset\``,
      });
    }
  }
  return findings;
}

/** True when published files changed after the commit that last wrote the package's CHANGELOG.md. */
function changedSinceRelease(root: string, { folder }: WorkspacePackage): boolean {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const release = git('log', '-1', '--format=%H', '--', `${folder}/CHANGELOG.md`);
  if (release === '') return true;
  return (
    git('diff', '--name-only', release, '--', `${folder}/src`, `${folder}/bin`, `${folder}/README.md`) !== ''
  );
}
