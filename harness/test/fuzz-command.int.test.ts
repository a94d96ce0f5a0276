/** What `npm run fuzz` says to those who ask it for something that is not there. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from '../support/run-program.ts';

const program = new URL('../fuzz/main.ts', import.meta.url);
const timeoutMs = 60_000;

async function fuzz(target: string, reports: string): ReturnType<typeof runProgram> {
  const args = ['--target', target, '--seconds', '0', '--reports', reports];
  return runProgram(program, args, {}, timeoutMs);
}

test(
  'a target is fuzzed by its name, and one that nobody has is an error',
  { timeout: timeoutMs },
  async () => {
    await using resources = new AsyncDisposableStack();
    const reports = await mkdtemp(join(tmpdir(), 'endorse-fuzz-'));
    resources.defer(() => rm(reports, { recursive: true }));

    expect(await fuzz('protocol decodeTwinBody', reports)).toMatchObject({ exitCode: 0 });
    expect(await readFile(join(reports, 'fuzz.md'), 'utf8')).toMatch(
      /^\| protocol decodeTwinBody \| \d+ \|/m,
    );

    const nothing = await fuzz('nothing of the kind', reports);
    expect(nothing.stderr).toMatch(/^no target has "nothing of the kind" in its name$/m);
    expect(nothing.exitCode).toBe(2);
  },
);

test.each([
  [['--seconds', 'long'], /ENDORSE_FUZZ_SECONDS must be a whole number/],
  [['--fast'], /Unknown option '--fast'/],
])('%j is refused before anything runs', async (args, message) => {
  const run = await runProgram(program, args);
  expect(run).toMatchObject({ exitCode: 2, stdout: '' });
  expect(run.stderr).toMatch(message);
});
