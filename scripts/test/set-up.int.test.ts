/** The set-up steps of scripts/run.mjs, and how it starts and ends a command. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from '../lib/commands.mjs';
import { withLock } from '../lib/lock.mjs';
import { pinned } from '../lib/pinned.mjs';
import { repositoryRoot } from '../lib/root.mjs';
import { fingerprint, isStamped, stamp } from '../lib/stamp.mjs';
import { instructions, missingTools, systemTools } from '../lib/system-tools.mjs';
import { foreignPrograms, hideForeignPrograms } from '../suites/foreign-tools.ts';
import { readSuite } from '../suites/vitest-report.ts';
import { makeFolder } from './support/folder.ts';

/** Starts Node.js on a module text that may import the set-up steps. */
function startModule(text: string): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '--eval', text], {
    cwd: join(repositoryRoot, 'scripts'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function outcome(
  child: ChildProcess,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const read = async (stream: NodeJS.ReadableStream | null): Promise<string> => {
    let text = '';
    for await (const chunk of stream ?? []) text += String(chunk);
    return text;
  };
  const [stdout, stderr, [code]] = await Promise.all([
    read(child.stdout),
    read(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

/** False for a zombie too: it has ended, only its new parent did not ask how. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the lock', () => {
  test('lets one process in at a time', async () => {
    using folder = makeFolder({ log: '' });
    const log = join(folder.path, 'log');
    const text = `
      import { appendFileSync } from 'node:fs';
      import { setTimeout as delay } from 'node:timers/promises';
      import { withLock } from './lib/lock.mjs';
      await withLock(${JSON.stringify(join(folder.path, 'lock'))}, async () => {
        appendFileSync(${JSON.stringify(log)}, 'in ');
        await delay(100);
        appendFileSync(${JSON.stringify(log)}, 'out ');
      });`;
    const results = await Promise.all([1, 2, 3].map(() => outcome(startModule(text))));
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(readFileSync(log, 'utf8')).toBe('in out in out in out ');
    expect(readdirSync(folder.path)).toEqual(['log']);
  });

  test('of a process that is gone is taken over at once', async () => {
    const child = startModule('');
    await once(child, 'close');
    const held = JSON.stringify({ pid: child.pid, host: hostname(), token: 'gone' });
    using folder = makeFolder({ lock: held });
    const startedAt = performance.now();
    expect(await withLock(join(folder.path, 'lock'), async () => 'done')).toBe('done');
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test('of another host is taken over when nobody touches it any more', async () => {
    using folder = makeFolder({ lock: JSON.stringify({ pid: 1, host: 'elsewhere', token: 'x' }) });
    const lock = join(folder.path, 'lock');
    await expect(withLock(lock, async () => undefined, { giveUpMs: 0 })).rejects.toMatchObject({
      step: 'wait for another set-up',
    });
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(lock, longAgo, longAgo);
    await expect(withLock(lock, async () => 'done', { giveUpMs: 0 })).resolves.toBe('done');
  });

  test('is let go of when the work fails', async () => {
    using folder = makeFolder({});
    const lock = join(folder.path, 'lock');
    await expect(withLock(lock, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

describe('a stamp', () => {
  test('holds while contents stay the same, whatever the times of the files', () => {
    using folder = makeFolder({ a: '1', b: '2' });
    const files = ['a', 'b', 'absent'].map((name) => join(folder.path, name));
    const path = join(folder.path, 'deep/stamp');
    const before = fingerprint(files, ['24']);
    expect(isStamped(path, before)).toBe(false);
    stamp(path, before);
    utimesSync(join(folder.path, 'a'), 1, 1);
    expect(isStamped(path, fingerprint(files, ['24']))).toBe(true);
  });

  test('changes with contents, order, absence and facts', () => {
    using folder = makeFolder({ a: '1', b: '' });
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder.path, name)) as [string, string, string];
    const before = [
      fingerprint([a, b]),
      fingerprint([b, a]),
      fingerprint([a, c]),
      fingerprint([a, b], ['x']),
    ];
    writeFileSync(a, '2');
    expect(new Set([...before, fingerprint([a, b])]).size).toBe(5);
  });
});

describe('system tools', () => {
  test('are missing unless every program of theirs can be run', () => {
    using folder = makeFolder({ swtpm_setup: '', swtpm_ioctl: '' });
    const missing = (): string[] => missingTools(['swtpm-tools'], folder.path, []);
    expect(missing()).toEqual(['swtpm-tools']);
    chmodSync(join(folder.path, 'swtpm_setup'), 0o755);
    expect(missing()).toEqual(['swtpm-tools']);
    chmodSync(join(folder.path, 'swtpm_ioctl'), 0o755);
    expect(missing()).toEqual([]);
  });

  test('are explained for every distribution', () => {
    expect(instructions(['swtpm', 'tpm2-tools'])).toBe(
      'Debian/Ubuntu: sudo apt-get install swtpm tpm2-tools; Fedora: sudo dnf install swtpm tpm2-tools; macOS: brew install swtpm tpm2-tools',
    );
  });

  test('that a command names have a row', () => {
    for (const { tools } of Object.values(commands)) {
      for (const tool of tools) expect(systemTools).toHaveProperty(tool);
    }
  });
});

test('programs of the system tests are hidden from the others', () => {
  using folder = makeFolder({});
  const env = hideForeignPrograms(folder.path, process.env);
  expect(foreignPrograms()).toContain('swtpm_setup');
  expect(foreignPrograms()).not.toContain('swtpm');
  const { status, stderr } = spawnSync('swtpm_setup', ['--version'], { env, encoding: 'utf8' });
  expect(status).toBe(127);
  expect(stderr).toContain('swtpm_setup is for *.system.test.ts only');
});

describe('run.mjs', () => {
  const run = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [join(repositoryRoot, 'scripts/run.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  test('lists the commands when it does not know one', async () => {
    const { code, stderr } = await outcome(run('dance'));
    expect(code).toBe(2);
    expect(stderr).toContain('unknown command dance');
    for (const name of Object.keys(commands)) expect(stderr).toContain(`npm run ${name}`);
  });

  test('knows a command for every script of package.json', () => {
    const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
      packageManager: string;
    };
    expect(Object.keys(manifest.scripts).toSorted()).toEqual(Object.keys(commands).toSorted());
    for (const [name, script] of Object.entries(manifest.scripts)) {
      expect(script).toBe(`node scripts/run.mjs ${name}`);
    }
    expect(manifest.packageManager).toBe(`pnpm@${pinned.pnpm}`);
  });

  test('passes arguments, output and exit code on', async () => {
    // The first run may have something to set up, after an edit of a package.json.
    await outcome(run('check', '--list'));
    const good = await outcome(run('check', '--list'));
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toMatch(/^format /m);
    expect(await outcome(run('check', 'nothing-of-the-kind'))).toMatchObject({ code: 2 });
  });

  test('costs less than two seconds when everything is there', { timeout: 120_000 }, async () => {
    const main = join(repositoryRoot, 'scripts/checks/main.ts');
    const direct = (): ChildProcess => spawn(process.execPath, [main, '--list'], { stdio: 'pipe' });
    const time = async (start: () => ChildProcess): Promise<number> => {
      const startedAt = performance.now();
      await outcome(start());
      return performance.now() - startedAt;
    };
    // The best of three turns, and of more on a busy machine: what else it does only ever makes a turn longer.
    let [withSetUp, without] = [Infinity, Infinity];
    const isDear = (): boolean => withSetUp - without >= 2000;
    for (let turn = 0; turn < 3 || (turn < 8 && isDear()); turn += 1) {
      withSetUp = Math.min(withSetUp, await time(() => run('check', '--list')));
      without = Math.min(without, await time(direct));
    }
    expect(withSetUp - without).toBeLessThan(2000);
  });
});

describe('a command in the foreground', () => {
  const wrapper = (child: string): ChildProcess =>
    startModule(`
      import { runForeground } from './lib/child.mjs';
      const code = await runForeground(process.execPath, ['--eval', ${JSON.stringify(child)}], { cwd: '.', env: process.env });
      process.stdout.write('ended with ' + code);`);

  test.for(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('is passed %s, and outlived', async (signal) => {
    const child = wrapper(`
      process.once('${signal}', () => process.exit(42));
      setInterval(() => undefined, 1000);
      process.stdout.write('ready ');`);
    const ended = outcome(child);
    await once(child.stdout ?? child, 'data');
    child.kill(signal);
    expect(await ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('ended with 42') as string,
    });
  });

  test('that a signal ended has the exit code of a shell', async () => {
    expect(await outcome(wrapper("process.kill(process.pid, 'SIGKILL')"))).toMatchObject({
      stdout: 'ended with 137',
    });
  });
});

test('a tool that a check runs ends with the check', async () => {
  const child = startModule(`
    import { runTool } from './checks/tool.ts';
    import { exitOnSignals } from './lib/interrupt.mjs';
    exitOnSignals();
    void runTool(process.execPath, ['--eval', "process.title = 'tool'; setInterval(() => undefined, 1000); console.error(process.pid)"], {
      cwd: '.',
      onOutput: (text) => process.stdout.write(text),
    });`);
  const ended = outcome(child);
  const [chunk] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  const pid = Number(String(chunk));
  expect(isAlive(pid)).toBe(true);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 143 });
  await expect.poll(() => isAlive(pid)).toBe(false);
});

describe('totals', () => {
  const totals = (...files: string[]): ReturnType<typeof outcome> =>
    outcome(
      spawn(process.execPath, [join(repositoryRoot, 'scripts/totals.mjs'), ...files], { stdio: 'pipe' }),
    );
  const report = (passed: number, failed: number, skipped: number): string =>
    JSON.stringify({
      suites: [
        { passed, failed, skipped },
        { passed: 1, failed: 0, skipped: 0 },
      ],
    });

  test('add the tiers up on the last line', async () => {
    using folder = makeFolder({ 'a.json': report(3, 0, 1), 'b.json': report(4, 0, 0) });
    const { code, stdout } = await totals(join(folder.path, 'a.json'), join(folder.path, 'b.json'));
    expect(stdout).toBe('9 passed, 0 failed, 1 skipped\n');
    expect(code).toBe(0);
  });

  test('fail with a failure, with a missing report, and when nothing ran', async () => {
    using folder = makeFolder({
      'a.json': report(3, 2, 0),
      'b.json': report(3, 0, 0),
      'c.json': '{"suites":[]}',
    });
    const file = (name: string): string => join(folder.path, name);
    expect(await totals(file('a.json'))).toMatchObject({
      code: 1,
      stdout: '4 passed, 2 failed, 0 skipped\n',
    });
    const missing = await totals(file('b.json'), file('absent.json'));
    expect(missing.code).toBe(1);
    expect(missing.stdout).toMatch(/\n4 passed, 1 failed, 0 skipped\n$/);
    expect(await totals(file('c.json'))).toMatchObject({
      code: 1,
      stdout: '0 passed, 0 failed, 0 skipped\n',
    });
  });
});

describe('a vitest report', () => {
  const test1 = (status: string): object => ({ status, fullName: status });

  test('is counted by test, and a file that did not load as one failure', () => {
    const testResults = [
      { name: 'a', status: 'passed', assertionResults: [test1('passed'), test1('skipped'), test1('passed')] },
      { name: 'b', status: 'failed', assertionResults: [test1('failed'), test1('passed')] },
      { name: 'c', status: 'failed', assertionResults: [] },
    ];
    using folder = makeFolder({ report: JSON.stringify({ testResults }) });
    expect(readSuite('unit', join(folder.path, 'report'), 1, 5)).toEqual({
      name: 'unit',
      passed: 3,
      failed: 2,
      skipped: 1,
      durationMs: 5,
    });
  });

  test('that is missing, or does not show why the run failed, is a failure', () => {
    using folder = makeFolder({ report: '{"testResults":[]}' });
    expect(readSuite('unit', join(folder.path, 'absent'), 1, 0).failed).toBe(1);
    expect(readSuite('unit', join(folder.path, 'report'), 1, 0).failed).toBe(1);
    expect(readSuite('unit', join(folder.path, 'report'), 0, 0).failed).toBe(0);
  });
});
