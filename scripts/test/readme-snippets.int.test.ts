/**
 * Runs every `js` snippet of the READMEs and of `docs/` as a reader would: a
 * file of its own, in a process of its own, to a clean end within 30 seconds.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentSnippets } from '../checks/snippets.ts';
import { repositoryRoot } from '../lib/root.mjs';

// The harness depends on every package, so everything resolves from there.
const folder = join(repositoryRoot, `harness/.cache/snippets-${process.pid}`);
beforeAll(() => {
  mkdirSync(folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(file: string): Promise<{ exitCode: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=@endorse/source', file], {
      cwd: folder,
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
  test('there are some in the root README and in every package', () => {
    const files = new Set(snippets.map(({ file }) => file));
    expect(files).toContain('README.md');
    expect(files).toContain('packages/interface/README.md');
  });

  test.for(snippets)('$file:$line runs to its end', { timeout: 40_000 }, async ({ file, line, code }) => {
    const path = join(folder, `${file.replaceAll('/', '-')}-${line}.mjs`);
    writeFileSync(path, code);
    expect(await run(path)).toMatchObject({ exitCode: 0 });
  });
});
