/** What must not stand in any file: leftovers, suppressions without a reason, names of one machine. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Check, Finding } from './check.ts';
import { repositoryFiles } from './workspace.ts';

interface ForbiddenText {
  readonly pattern: RegExp;
  readonly message: string;
  /** Files it applies to; all when absent. */
  readonly files?: RegExp;
}

const code = /\.[cm]?[jt]s$/;
/** Documents people write; the API reports are printed. */
const documents = /^(?!docs\/api\/).*\.md$/;

const forbidden: readonly ForbiddenText[] = [
  { pattern: /\b(TODO|FIXME|XXX|HACK)\b/, message: 'is unfinished' },
  {
    pattern: /@ts-(ignore|nocheck)/,
    message: 'suppresses the compiler; use @ts-expect-error with a reason',
    files: code,
  },
  {
    pattern: /(oxlint|eslint)-disable(?!.*--\s*\S)/,
    message: 'suppresses lint without ` -- reason`',
    files: code,
  },
  { pattern: /\b(it|test|describe|suite)\.(only|skip|todo)\b/, message: 'leaves tests out', files: code },
  {
    pattern: /\bexport \*(?! from '\.\/generated\/)/,
    message: 'exports everything; name what is public',
    files: /^packages\/.*\/src\//,
  },
  {
    pattern: /\bSRS_[A-Z]/,
    message: 'names a requirement; titles of tests do that',
    files: /^packages\/.*\/src\//,
  },
  {
    pattern: /```(ts|typescript|javascript|mjs|cjs)\b/,
    message: 'is a snippet nobody runs; snippets are js',
    files: documents,
  },
  {
    pattern: /```js +\S/,
    message: 'is a snippet with options; every snippet runs as it is',
    files: documents,
  },
  {
    pattern: /(^|[\s'"`(=])\/(home|root|Users|work|workspaces?)\//,
    message: 'names a path of one machine',
  },
  {
    pattern: /\.\.\/shared\b|\b(facts|seeds)\/[a-z-]+\.(md|txt)|\b(design|style-guide)\.md\b/,
    message: 'refers to a file that is not here',
  },
  {
    pattern: /\/\/registry\.[a-z0-9-]+\./,
    message: 'names a registry; npm knows its own',
  },
];

/** Files that hold the patterns themselves, or that tools write. */
const exempt = /^(scripts\/checks\/text\.ts|scripts\/test\/text\.test\.ts|pnpm-lock\.yaml|.*CHANGELOG\.md)$/;
const data = /(^|\/)(vectors|fixtures)\//;
const binary = /\.(png|jpg|gif|ico|der|bin|p12|pfx|gz|tgz)$/;

const longLines = 350;
const tooLong = 500;

/** The check over the checkout. */
export const text: Check = {
  name: 'text',
  summary: 'no leftovers, no suppressions without a reason, no file too long',
  async run(root) {
    return repositoryFiles(root)
      .filter((file) => !exempt.test(file) && !binary.test(file))
      .flatMap((file) => textFindings(file, readFileSync(join(root, file), 'utf8')));
  },
};

/** Lists what must not stand in a file, and a file that is too long or oddly named. */
export function textFindings(file: string, contents: string): Finding[] {
  const rules = forbidden.filter(({ files }) => files === undefined || files.test(file));
  const lines = contents.split('\n');
  const findings: Finding[] = lines.flatMap((line, index) =>
    rules
      .filter(({ pattern }) => pattern.test(line))
      .map(({ message }) => ({ file, line: index + 1, message: `${message}: ${line.trim().slice(0, 100)}` })),
  );
  if (code.test(file) && !data.test(file)) {
    const count = lines.length - 1;
    if (count > tooLong) findings.push({ file, message: `has ${count} lines, more than ${tooLong}` });
    else if (count > longLines) findings.push({ file, message: `has ${count} lines`, level: 'warning' });
    if (!/^[a-z0-9.-]+$/.test(basename(file))) findings.push({ file, message: 'is not named in kebab-case' });
  }
  return findings;
}
