/** `endorse discover`, `plan`, `apply` and `report` as processes of their own, on a simulated site: what a newcomer types. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJournal } from '@endorse/provisioning-utility';
import { expect, test } from 'vitest';
import { describeFleet } from '../gateways/fleet-specs.ts';
import type { SiteFiles } from '../gateways/site-files.ts';
import { writeSiteFiles } from '../gateways/site-files.ts';
import type { Site } from '../gateways/site.ts';
import { startSite } from '../gateways/site.ts';
import { factoryPassword } from '../gateways/spec.ts';
import { parseJsonLines } from '../support/run-program.ts';

const cli = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
const minutes = 60_000;

interface Workplace extends AsyncDisposable {
  readonly site: Site;
  readonly files: SiteFiles;
  readonly folder: string;
  /** Starts `endorse` in the folder. */
  start(args: readonly string[], environment?: Readonly<Record<string, string>>): RunningCommand;
  /** Arguments that say which service, and the password from the works. */
  readonly access: readonly string[];
}

interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<{
    readonly exitCode: number | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
}

async function startWorkplace(count: number, network: readonly [number, number]): Promise<Workplace> {
  const resources = new AsyncDisposableStack();
  try {
    const folder = await mkdtemp(join(tmpdir(), 'endorse-commands-'));
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    const specs = describeFleet({ count, quirks: false, port: 0, network });
    const site = resources.use(await startSite({ specs, algorithm: 'ecc' }));
    const files = await writeSiteFiles(join(folder, '.site'), site.emulator);
    return {
      site,
      files,
      folder,
      access: [
        ...['--ca', files.caFile, '--connection-string-file', files.connectionStringFile],
        ...['--factory-password-file', files.passwordFile, '--discovery-port', String(site.discoveryPort)],
      ],
      start: (args, environment = {}) => start(folder, args, environment),
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    };
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}

function start(
  cwd: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): RunningCommand {
  const child = spawn(process.execPath, ['--conditions=@endorse/source', cli, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: minutes,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Awaited<RunningCommand['ended']>>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  return { child, ended };
}

const discoverArgs = ({ site }: Workplace): readonly string[] => [
  ...['discover', '--loopback', '--interface', 'lo', '--port', String(site.discoveryPort)],
  ...['--expect-count', String(site.fleet.gateways.length), '--out', 'gateways.csv'],
];
const planArgs = ({ site, access }: Workplace): readonly string[] => [
  ...['plan', '--inventory', 'gateways.csv', '--id-scope', site.emulator.idScope],
  ...['--global-endpoint', site.emulator.endpoints.http, ...access],
];

test(
  'four commands provision a fleet: JSON lines without a terminal, files for people',
  { timeout: 3 * minutes },
  async () => {
    await using workplace = await startWorkplace(4, [47, 0]);
    const { start: run, folder, access, site } = workplace;

    const discovered = await run(discoverArgs(workplace)).ended;
    expect({ ...discovered, stdout: '' }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(parseJsonLines(discovered.stdout).at(-1)).toMatchObject({ event: 'window-closed' });
    expect((await readFile(join(folder, 'gateways.csv'), 'utf8')).split('\n')).toHaveLength(6);

    const planned = await run(planArgs(workplace)).ended;
    expect(planned.exitCode, planned.stderr).toBe(0);
    expect(parseJsonLines(planned.stdout).at(-1)).toMatchObject({ event: 'plan-made', file: 'plan.json' });

    const applied = await run(['apply', ...access, '--report', 'run.md', '--report', 'run.xml']).ended;
    expect(applied.exitCode, applied.stderr).toBe(0);
    expect(parseJsonLines(applied.stdout).at(-1)).toMatchObject({
      event: 'report',
      report: { totals: { provisioned: 4 }, isComplete: true },
    });
    expect(site.fleet.gateways.every(({ assignment }) => assignment !== undefined)).toBe(true);

    const reported = await run(['report', '--format', 'csv']).ended;
    expect(reported.exitCode).toBe(0);
    expect(reported.stdout.split('\n')).toHaveLength(6);
    expect(await readFile(join(folder, 'run.md'), 'utf8')).toContain('4 provisioned');
    expect(await readFile(join(folder, 'run.xml'), 'utf8')).toContain('failures="0"');

    // What the next person might do: the same again, without saying that it is a resumption, and with it.
    const again = await run(['apply', ...access]).ended;
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--resume') });
    const resumed = await run(['apply', ...access, '--resume']).ended;
    expect(resumed.exitCode, resumed.stderr).toBe(0);
  },
);

test(
  '[X5] [L8] no secret from a file or a descriptor is in arguments, environment, output or files',
  { timeout: 3 * minutes },
  async () => {
    await using workplace = await startWorkplace(1, [48, 0]);
    const { start: run, folder, access, site } = workplace;
    await run(discoverArgs(workplace)).ended;
    const planned = await run(planArgs(workplace)).ended;
    const applying = run(['apply', ...access, '--verbose']);
    const seen: string[] = [];
    const { pid } = applying.child;
    // As every user of the machine could, as long as it runs.
    const watching = (async () => {
      while (applying.child.exitCode === null) {
        for (const name of ['cmdline', 'environ']) {
          seen.push(await readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => ''));
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const applied = await applying.ended;
    await watching;
    expect(applied.exitCode, applied.stderr).toBe(0);
    expect(seen.join('')).toContain('apply');

    const connectionString = site.emulator.serviceConnectionString.revealText();
    const key = /SharedAccessKey=(.*)$/.exec(connectionString)?.[1] ?? '';
    expect(key.length).toBeGreaterThan(20);
    const written = await Promise.all(
      (await readdir(folder))
        .filter((name) => name !== '.site')
        .map((name) => readFile(join(folder, name), 'utf8')),
    );
    const everything = [
      ...seen,
      planned.stdout,
      planned.stderr,
      applied.stdout,
      applied.stderr,
      ...written,
    ].join('\n');
    expect(everything).not.toContain(factoryPassword);
    expect(everything).not.toContain(key);
    expect(everything).not.toMatch(/SharedAccessSignature|Bearer |eyJ[\w-]+\./);
  },
);

test(
  'Ctrl-C lets steps finish and says how to go on; meanwhile a second run is refused',
  { timeout: 3 * minutes },
  async () => {
    await using workplace = await startWorkplace(3, [50, 0]);
    const { start: run, folder, access } = workplace;
    await run(discoverArgs(workplace)).ended;
    await run(planArgs(workplace)).ended;

    const applying = run(['apply', ...access, '--concurrency', '2']);
    const writing = new Promise<void>((resolve) => {
      applying.child.stdout?.on('data', (text: string) => {
        if (text.includes('"write-started"')) resolve();
      });
    });
    await writing;
    // Held still, so that it is certain to be at it while the other one tries.
    applying.child.kill('SIGSTOP');
    const second = await run(['apply', ...access, '--resume']).ended;
    applying.child.kill('SIGCONT');
    applying.child.kill('SIGINT');
    const interrupted = await applying.ended;
    expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('ERR_JOURNAL_LOCKED') });
    expect(interrupted).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('--resume') });

    const { entries } = readJournal(await readFile(join(folder, 'plan.journal.jsonl')));
    expect(entries.at(-1)).toMatchObject({ event: 'run-finished', isStopped: true });
    const resumed = await run(['apply', ...access, '--resume']).ended;
    expect(resumed.exitCode, resumed.stderr).toBe(0);
    expect(parseJsonLines(resumed.stdout).at(-1)).toMatchObject({ report: { totals: { provisioned: 3 } } });
  },
);
