/** What publint, are-the-types-wrong and we ourselves find wrong with a packed package. */
import { readFileSync } from 'node:fs';
import { type Problem, checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import type { Check, Finding } from '../check.ts';
import { packTarballs } from './tarballs.ts';

/** The check over the checkout. */
export const tarballs: Check = {
  name: 'tarballs',
  summary: 'publint and are-the-types-wrong accept every packed package, and it holds what it should',
  async run(root) {
    const findings: Finding[] = [];
    for (const { workspacePackage, path } of await packTarballs(root)) {
      const messages = await tarballProblems(readFileSync(path));
      findings.push(...messages.map((message) => ({ file: workspacePackage.folder, message })));
    }
    return findings;
  },
};

/** Lists the problems of one packed package. */
export async function tarballProblems(data: Buffer<ArrayBuffer>): Promise<string[]> {
  const contents = createPackageFromTarballData(data);
  const prefix = `/node_modules/${contents.packageName}/`;
  const files = contents.listFiles().map((file) => file.slice(prefix.length));
  return [...fileListProblems(files), ...(await publintProblems(data)), ...(await typesProblems(contents))];
}

/** Lists files that are missing from a packed package, and those that do not belong there. */
export function fileListProblems(files: readonly string[]): string[] {
  const problems = ['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts']
    .filter((file) => !files.includes(file))
    .map((file) => `lacks ${file}`);
  for (const file of files) {
    const expected = /^(LICENSE|README\.md|CHANGELOG\.md|package\.json|(dist|src|images)\/.+)$/.test(file);
    const isTest = /(^|\/)test\/|\.test\.|\.test-d\./.test(file);
    if (!expected || isTest) problems.push(`contains ${file}`);
  }
  return problems;
}

async function publintProblems(data: Buffer<ArrayBuffer>): Promise<string[]> {
  const tarball = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
  return messages.map(
    (message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`,
  );
}

async function typesProblems(contents: ReturnType<typeof createPackageFromTarballData>): Promise<string[]> {
  const result = await checkPackage(contents, { excludeEntrypoints: ['./package.json'] });
  if (result.types === false) return ['are-the-types-wrong: has no types'];
  return result.problems
    .filter((problem) => !concernsOnlyRequire(problem))
    .map((problem) => `are-the-types-wrong: ${JSON.stringify(problem)}`);
}

/** The packages are ES modules for Node.js 22 and newer: how `require` in older ones sees them does not matter. */
function concernsOnlyRequire(problem: Problem): boolean {
  if (problem.kind === 'CJSResolvesToESM') return true;
  return 'resolutionKind' in problem && /^node(10|16-cjs)$/.test(problem.resolutionKind);
}
