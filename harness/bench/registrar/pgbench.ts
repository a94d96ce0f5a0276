import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from '../../suites/registrar/postgresql.ts';
import type { PgbenchScript } from './registration-script.ts';

/** Runs a script over `lanes` connections for a while and resolves with transactions a second. */
export async function runPgbench(
  { text, constants }: Pick<PgbenchScript, 'text' | 'constants'>,
  { port, turnMs, lanes }: { readonly port: number; readonly turnMs: number; readonly lanes: number },
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'endorse-pgbench-'));
  try {
    const script = join(folder, 'script.sql');
    await writeFile(script, text);
    const connection = ['--host', '127.0.0.1', '--port', String(port), '--username', 'endorse'];
    const load = ['--client', String(lanes), '--jobs', '2', '--time', String(Math.ceil(turnMs / 1000))];
    const variables = Object.entries(constants).map(([name, value]) => `--define=${name}=${value}`);
    const child = spawn(
      program('pgbench'),
      [
        ...connection,
        ...load,
        ...variables,
        ...['--no-vacuum', '--protocol', 'prepared', '--file', script, 'postgres'],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    const [, rate] = /tps = ([\d.]+) \(without initial/.exec(output) ?? /tps = ([\d.]+)/.exec(output) ?? [];
    if (code !== 0 || rate === undefined) throw new Error(`pgbench failed: ${output}`);
    return Number(rate);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
