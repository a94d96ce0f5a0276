/** What the commands for gateways refuse, and where their secrets come from; the whole flow is in the harness. */
import { spawn } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { startResponder } from '@endorse/discovery';
import { LiveView, progressBar } from '../src/output/live-view.ts';
import { promptSecret } from '../src/provisioning/prompt-secret.ts';
import { makeDirectory } from './support/device.ts';
import { jsonLines, runInProcess } from './support/run-in-process.ts';

const key = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';

async function withInventory(use: (args: readonly string[], folder: string) => Promise<void>): Promise<void> {
  await using directory = await makeDirectory();
  const inventory = join(directory.path, 'gateways.csv');
  await writeFile(inventory, 'serial,address,port\nTBBAA1234501,127.0.0.1,1\n');
  await use(['plan', '--inventory', inventory, '--out', join(directory.path, 'plan.json')], directory.path);
}

describe('the service', () => {
  test('[C4] a part that is missing is named, each of the three', async () => {
    await withInventory(async (args) => {
      const none = await runInProcess(args);
      expect(none.exitCode).toBe(2);
      for (const part of ['--service-endpoint', '--policy-name', '--policy-key-env'])
        expect(none.stderr).toContain(part);
      const one = await runInProcess(
        [...args, '--service-endpoint', 'a.example', '--policy-key-env', 'KEY'],
        {
          env: { KEY: key },
        },
      );
      expect(one.stderr).toContain('missing: the policy name (--policy-name)');
      expect(one.stderr).not.toContain('--service-endpoint)');
    });
  });

  test('[C5] a key that is not base64 is refused, and not shown', async () => {
    await withInventory(async (args) => {
      const split = ['--service-endpoint', 'a.example', '--policy-name', 'owner', '--policy-key-env', 'KEY'];
      const bad = 'not base64, my secret!';
      const refused = await runInProcess([...args, ...split, '--json'], { env: { KEY: bad } });
      expect(refused.exitCode).toBe(2);
      expect(refused.stderr).toContain('the policy key is not base64');
      const whole = await runInProcess([...args, '--json'], {
        env: { ENDORSE_CONNECTION_STRING: `HostName=a.example;SharedAccessKeyName=o;SharedAccessKey=${bad}` },
      });
      expect(whole.exitCode).toBe(2);
      for (const { stdout, stderr } of [refused, whole]) expect(stdout + stderr).not.toContain('my secret');
    });
  });

  test('[C13] the global device endpoint is refused with a hint', async () => {
    await withInventory(async (args) => {
      const split = [
        '--service-endpoint',
        'https://global.azure-devices-provisioning.net',
        '--policy-name',
        'o',
      ];
      const { exitCode, stderr } = await runInProcess([...args, ...split, '--policy-key-env', 'KEY'], {
        env: { KEY: key },
      });
      expect({ exitCode, hint: stderr.includes('overview page') }).toEqual({ exitCode: 2, hint: true });
    });
  });
});

test('apply takes the endpoint as it is pasted, and refuses a connection to another service than the plan is for', async () => {
  await withInventory(async (args, folder) => {
    const access = (endpoint: string) => [
      ...['--service-endpoint', endpoint, '--policy-name', 'o', '--policy-key-env', 'KEY'],
    ];
    const env = { KEY: key };
    const planned = await runInProcess([...args, ...access('https://127.0.0.1:1/')], { env });
    expect(planned.exitCode).toBe(1);
    const plan = join(folder, 'plan.json');
    const applied = await runInProcess(['apply', '--plan', plan, ...access('127.0.0.1:1')], { env });
    expect(jsonLines(applied.stdout).at(-1)).toMatchObject({
      event: 'report',
      report: { totals: { blocked: 1 } },
    });
    const other = await runInProcess(['apply', '--plan', plan, ...access('127.0.0.1:2')], { env });
    expect(other).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('the plan is for 127.0.0.1:1'),
    });
    const reported = await runInProcess(['report', '--plan', plan, '--format', 'junit']);
    expect(reported).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('ERR_NO_CREDENTIALS') });
    const explained = await runInProcess(['explain', '--code', 'err_no_credentials']);
    expect(explained).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('passwords file') });
    expect((await runInProcess(['explain', '--code', 'ERR_NO_CREDENTIAL'])).stderr).toContain('did you mean');
  });
});

describe('secrets', () => {
  const split = ['--service-endpoint', 'a.example', '--policy-name', 'o', '--policy-key-env', 'KEY'];
  const run = (args: readonly string[]) => runInProcess([...args, ...split], { env: { KEY: key } });

  test('a file that others can read is refused with what to do; two sources exclude each other', async () => {
    await withInventory(async (args, folder) => {
      const file = join(folder, 'password');
      await writeFile(file, 'hunter2\n');
      await chmod(file, 0o644);
      const open = await run([...args, '--password-file', file]);
      expect(open).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`chmod 600 ${file}`) });
      const both = await run([...args, '--password-file', file, '--password-env', 'X']);
      expect(both.stderr).toContain('--password-env and --password-file exclude each other');
      await chmod(file, 0o600);
      await writeFile(file, 'two\nlines\n');
      const lines = await run([...args, '--password-file', file]);
      expect(lines.stderr).toContain('one line');
      expect((await run([...args, '--password-prompt'])).stderr).toContain('no terminal');
      expect((await run([...args, '--password-fd', '987'])).stderr).toContain(
        'descriptor 987 cannot be read',
      );
    });
  });

  test('an inherited descriptor is read', async () => {
    await withInventory(async (args, folder) => {
      const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
      const child = spawn(
        process.execPath,
        ['--conditions=@endorse/source', main, ...args, ...split, '--password-fd', '3', '--json'],
        {
          cwd: folder,
          env: { PATH: process.env['PATH'], KEY: key },
          stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
          timeout: 25_000,
        },
      );
      (child.stdio[3] as NodeJS.WritableStream).end('hunter2\n');
      let stdout = '';
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      await new Promise((resolve) => child.once('close', resolve));
      // The gateway is not there, so it came as far as that.
      expect(jsonLines(stdout).find(({ event }) => event === 'device-planned')).toMatchObject({
        verdict: 'failed',
      });
      expect(stdout).not.toContain('hunter2');
    });
  });

  test('a prompt does not show what is typed, takes backspace, and ends with Ctrl-C and with an abort', async () => {
    const ask = async (typed: string, signal = new AbortController().signal) => {
      const modes: boolean[] = [];
      const input = Object.assign(new PassThrough(), {
        isTTY: true,
        setRawMode: (isRaw: boolean) => void modes.push(isRaw),
      }) as unknown as ReadStream & PassThrough;
      let shown = '';
      const answer = promptSecret('password', signal, {
        input,
        output: { write: (text: string) => (shown += text) },
      });
      input.write(typed);
      const outcome = await answer.then(
        (secret) => secret.revealText(),
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      expect(modes).toEqual([true, false]);
      expect(shown).toBe('password: \n');
      return outcome;
    };
    expect(await ask('hunterx\u007F2\r')).toBe('hunter2');
    expect(await ask('hunter\u0003')).toBe('the question was not answered');
    expect(await ask('\r')).toBe('nothing was typed');
    const aborting = new AbortController();
    const pending = ask('hun', aborting.signal);
    aborting.abort(new Error('enough'));
    expect(await pending).toBe('enough');
  });
});

describe('discover', () => {
  const device = {
    serial: 'TBBAA1234501',
    addresses: [],
    api: { scheme: 'https', port: 8444, path: '/api/v1' },
    state: 'factory',
    capabilities: [],
  } as const;

  test('shows a table on a terminal, with remarks, and ends with 0', async () => {
    const responder = await startResponder({ device, port: 0, addresses: ['127.3.0.1'] });
    try {
      const args = [
        'discover',
        '--target',
        '127.3.0.1',
        '--port',
        String(responder.port),
        '--expect-count',
        '1',
      ];
      const seen = await runInProcess([...args, '--window-ms', '15000'], {
        terminal: true,
        env: { NO_COLOR: '1' },
      });
      expect(seen.exitCode).toBe(0);
      expect(seen.stdout).toMatch(/TBBAA1234501\s+127\.3\.0\.1\s+8444\s+factory\s+missing-capability/);
      expect(seen.stdout).toContain('1 found, 0 eligible');
    } finally {
      await responder.stop();
    }
  });

  test('says what to do when nothing answers, and what is missing', async () => {
    await using directory = await makeDirectory();
    const expected = join(directory.path, 'serials.txt');
    await writeFile(expected, '# delivered\nTBBAA1234501\n');
    const args = [
      'discover',
      '--target',
      '127.3.0.9',
      '--port',
      '1',
      '--window-ms',
      '50',
      '--expect',
      expected,
    ];
    const { exitCode, stderr } = await runInProcess(args, { terminal: true });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('missing: TBBAA1234501');
    expect(stderr).toContain('--target');
    expect((await runInProcess([...args, '--out', 'x.txt'])).exitCode).toBe(2);
  });
});

test('a live view draws over itself, leaves nothing behind, and draws nothing without a screen', () => {
  let drawn = '';
  const screen = { write: (text: string) => (drawn += text), isTTY: true, columns: 20, rows: 4 };
  const view = new LiveView(screen, () => ['x'.repeat(30), 'b', 'c', 'd', 'e']);
  view.start();
  expect(drawn).toBe(`\u001B[J${'x'.repeat(18)}…\nb\nc\n`);
  view.stop();
  expect(drawn.endsWith('\u001B[3A\u001B[J')).toBe(true);
  const silent = new LiveView(undefined, () => {
    throw new Error('nobody sees this');
  });
  silent.start();
  silent.stop();
  expect([progressBar(0, 4, 4), progressBar(2, 4, 4), progressBar(9, 4, 4), progressBar(0, 0, 4)]).toEqual([
    '░░░░  0/4',
    '██░░  2/4',
    '████  9/4',
    '████  0/0',
  ]);
});
