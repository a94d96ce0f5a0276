/**
 * Runs every `js` snippet of the READMEs and of `docs/` as a reader would: a
 * file of its own, in a process of its own, to a clean end within 30 seconds.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentSnippets } from '../checks/snippets.ts';
import { readWorkspace } from '../checks/workspace.ts';
import { repositoryRoot } from '../lib/root.mjs';

// The harness depends on every package, so everything resolves from there.
const snippetFolder = join(repositoryRoot, `harness/.cache/snippets-${process.pid}`);
beforeAll(() => {
  mkdirSync(snippetFolder, { recursive: true });
});
afterAll(() => rmSync(snippetFolder, { recursive: true, force: true }));

function run(file: string): Promise<{ exitCode: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=@endorse/source', file], {
      cwd: snippetFolder,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 30_000,
      killSignal: 'SIGKILL',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, output }));
  });
}

const snippets = documentSnippets(repositoryRoot);

describe('snippets of READMEs and docs', () => {
  test('there is one in the root README and in that of every package', () => {
    const packages = readWorkspace(repositoryRoot).map((workspacePackage) => workspacePackage.folder);
    const readmes = packages
      .filter((path) => path.startsWith('packages/'))
      .map((path) => `${path}/README.md`);
    const withSnippet = new Set(snippets.map(({ file }) => file));
    expect(['README.md', ...readmes].filter((file) => !withSnippet.has(file))).toEqual([]);
  });

  test.for(snippets)('$file:$line runs to its end', { timeout: 40_000 }, async ({ file, line, code }) => {
    const path = join(snippetFolder, `${file.replaceAll('/', '-')}-${line}.mjs`);
    writeFileSync(path, code);
    expect(await run(path)).toMatchObject({ exitCode: 0 });
  });
});
