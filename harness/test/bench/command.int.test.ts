import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../../../scripts/lib/root.mjs';
import { fixtures, readTree } from './support.ts';

test('npm run bench runs a bench and writes its report and plot; README and docs stay as they are', async () => {
  await using command = await startCommand('--quick', 'tokens');
  const before = await documents();
  const { code, output, errors } = await command.ended;
  expect({ code, errors }).toEqual({ code: 0, errors: expect.stringContaining('[1/1] tokens') });
  expect(output).toMatch(
    /^## Verification of registration tokens\n\n\| Figure \| Endorse \| Peer \| Ratio \| Limit \|/,
  );
  expect((await readdir(command.reports)).toSorted()).toEqual(['tokens-verification.svg', 'tokens.json']);
  const report: unknown = JSON.parse(await readFile(join(command.reports, 'tokens.json'), 'utf8'));
  expect(report).toMatchObject({
    bench: 'tokens',
    size: 'quick',
    measuredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    machine: { node: process.version },
    peers: { jose: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    figures: [
      { algorithm: 'HS256', endorseUs: { count: 3 } },
      { algorithm: 'ES256' },
      { algorithm: 'EdDSA' },
    ],
  });
  expect(await documents()).toEqual(before);
  expect(await readdir(command.temporary)).toEqual([]);
});

test('a wrong name is told before anything starts', async () => {
  await using command = await startCommand('--quick', 'tokens', 'nonsense');
  expect(await command.ended).toEqual({
    code: 2,
    output: '',
    errors: expect.stringMatching(/^no bench is called nonsense; there are registration, /),
  });
  expect(await readdir(command.temporary)).toEqual([]);
});

test('Ctrl-C ends whatever a bench has started, and leaves nothing behind', async () => {
  await using command = await startCommand('--quick', 'discovery', 'tokens');
  await command.says('finding devices');
  command.interrupt();
  const { code, errors } = await command.ended;
  expect(code).toBe(130);
  expect(errors).not.toContain('tokens');
  expect(existsSync(join(command.reports, 'discovery.json'))).toBe(false);
  expect(await readdir(command.temporary)).toEqual([]);
  expect(await processesIn(command.temporary)).toEqual([]);
});

test('a bench that fails says why, and the others run', async () => {
  await using command = await startCommand('--from-reports', 'fleet', 'tokens');
  const { code, output, errors } = await command.ended;
  expect({ code, output }).toEqual({
    code: 1,
    output: expect.stringContaining('Verification of registration tokens'),
  });
  expect(errors).toContain('there is no report of fleet');
  expect(errors).toMatch(/failed: fleet\n$/);
});

async function documents(): Promise<unknown> {
  return [
    await readFile(join(repositoryRoot, 'README.md'), 'utf8'),
    await readTree(join(repositoryRoot, 'docs/images')),
  ];
}

/** Processes that were told to keep what is temporary in a folder; known of where there is `/proc`. */
async function processesIn(folder: string): Promise<readonly string[]> {
  const pids = existsSync('/proc/self/environ')
    ? (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    : [];
  const environments = await Promise.all(
    pids.map(async (pid) => [pid, await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')] as const),
  );
  return environments.filter(([, environment]) => environment.includes(folder)).map(([pid]) => pid);
}

interface StartedCommand extends AsyncDisposable {
  readonly reports: string;
  /** What is temporary for the command. */
  readonly temporary: string;
  readonly ended: Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }>;
  /** Waits for a text on standard error. */
  says(text: string): Promise<void>;
  interrupt(): void;
}

/** Starts `npm run bench` on reports of its own. */
async function startCommand(...args: readonly string[]): Promise<StartedCommand> {
  const folder = await mkdtemp(join(tmpdir(), 'endorse-bench-command-'));
  const [reports, temporary] = [join(folder, 'reports'), join(folder, 'tmp')];
  await mkdir(temporary);
  // What an earlier run has left: one of two.
  if (args.includes('--from-reports')) await cp(join(fixtures, 'tokens.json'), join(reports, 'tokens.json'));
  const child = spawn(process.execPath, ['scripts/run.mjs', 'bench', ...args, '--reports', reports], {
    cwd: repositoryRoot,
    env: { ...process.env, NODE_OPTIONS: '', TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const closed = once(child, 'close') as Promise<[number | null]>;
  return {
    reports,
    temporary,
    ended: closed.then(([code]) => ({ code, output, errors })),
    says: async (text) => {
      while (!errors.includes(text))
        await once(child.stderr, 'data', { signal: AbortSignal.timeout(15_000) });
    },
    interrupt: () => child.kill('SIGINT'),
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
