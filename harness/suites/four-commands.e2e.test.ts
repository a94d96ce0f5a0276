/** What the README tells a newcomer to type: a site in one terminal, and discover, plan and apply in another. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { factoryPassword } from '../gateways/spec.ts';
import { freeUdpPort } from '../support/free-udp-port.ts';
import { parseJsonLines } from '../support/run-program.ts';

const programs = {
  gateways: fileURLToPath(new URL('../gateways/main.ts', import.meta.url)),
  endorse: fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url)),
};

function start(program: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--conditions=@endorse/source', program, ...args], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function endorse(
  args: readonly string[],
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly shown: string }> {
  const child = start(programs.endorse, [...args, '--json']);
  const processFolder = `/proc/${child.pid}`;
  // What any user of the machine can see of a process, and what its owner can.
  const shown = await readFile(`${processFolder}/cmdline`, 'utf8').then(
    async (line) => line + (await readFile(`${processFolder}/environ`, 'utf8')),
  );
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [exitCode] = (await once(child, 'close')) as [number];
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr, command: args[0] }).toEqual({
    exitCode: 0,
    stderr: '',
    command: args[0],
  });
  return { exitCode, stdout, shown };
}

test(
  '[X5] [L8] four commands provision a simulated site, and no secret is where others could see it',
  { timeout: 180_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'endorse-four-'));
    const port = String(await freeUdpPort());
    const site = start(programs.gateways, [
      '--plain',
      '--count',
      '8',
      '--directory',
      folder,
      '--discovery-port',
      port,
      '--json',
    ]);
    try {
      for await (const line of createInterface({ input: site.stdout as NodeJS.ReadableStream })) {
        if ((JSON.parse(line) as { event: string }).event === 'ready') break;
      }
      site.stdout?.resume();
      const file = (name: string): string => join(folder, name);
      const access = [
        ...['--connection-string-file', file('connection-string'), '--ca', file('ca.pem')],
        ...['--factory-password-file', file('gateway-password'), '--pins', file('pins')],
      ];
      const found = await endorse([
        'discover',
        '--loopback',
        '--interface',
        'lo',
        '--port',
        port,
        '--model',
        'AIG-*',
        '--expect-count',
        '8',
        '--out',
        file('gateways.csv'),
      ]);
      const planned = await endorse([
        'plan',
        '--inventory',
        file('gateways.csv'),
        '--job',
        file('job.yaml'),
        '--out',
        file('plan.json'),
        ...access,
      ]);
      const applied = await endorse([
        'apply',
        '--plan',
        file('plan.json'),
        ...access,
        '--discovery-port',
        port,
        '--report',
        file('run.md'),
      ]);

      const events = parseJsonLines(applied.stdout);
      expect(JSON.stringify(events.at(-1))).toContain('"provisioned":8');
      expect(await readFile(file('run.md'), 'utf8')).toContain('8 provisioned');

      const connectionString = (await readFile(file('connection-string'), 'utf8')).trim();
      const key = /SharedAccessKey=(\S+)/.exec(connectionString)?.[1] ?? connectionString;
      const written = ['plan.json', 'plan.journal.jsonl', 'run.md', 'pins', 'gateways.csv'].map((name) =>
        readFile(file(name), 'utf8'),
      );
      const everywhere = [found, planned, applied]
        .flatMap(({ stdout, shown }) => [stdout, shown])
        .concat(await Promise.all(written));
      for (const text of everywhere) {
        for (const secret of [key, factoryPassword]) expect(text.includes(secret)).toBe(false);
      }
    } finally {
      site.kill('SIGINT');
      const [exitCode] = (await once(site, 'close')) as [number];
      await rm(folder, { recursive: true });
      expect(exitCode).toBe(130);
    }
  },
);
