import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { program, startPostgresql } from '../suites/registrar/postgresql.ts';
import { startRegistrarFleet } from '../suites/registrar/registrar-fleet.ts';
import { medianRatio, summarize } from './statistics.ts';

/** How fast devices are registered, beside what the same database does at best. */
export interface RegistrationRateFigures {
  readonly perSecond: number;
  readonly insertsPerSecond: number;
  /** Registrations for each plain insert: median of the turns. */
  readonly share: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** Registers devices with four processes and inserts plain rows with pgbench, in turns, on one PostgreSQL with fsync. */
export async function measureRegistrations(size: {
  readonly turns: number;
  readonly turnMs: number;
  readonly lanes: number;
}): Promise<RegistrationRateFigures> {
  await using resources = new AsyncDisposableStack();
  const postgresql = resources.use(await startPostgresql());
  await createPlainTable(postgresql.url);
  const fleet = resources.use(await startRegistrarFleet(postgresql.url, 4));
  const token = await fleet.mint();
  const rates: number[] = [];
  const inserts: number[] = [];
  const latencies: number[] = [];
  const registerFor = async (durationMs: number, into: number[]): Promise<number> => {
    const endAt = performance.now() + durationMs;
    let count = 0;
    const lane = async (index: number): Promise<void> => {
      const { origin = '' } = fleet.processes[index % fleet.processes.length] ?? {};
      while (performance.now() < endAt) {
        const startedAt = performance.now();
        const id = randomBytes(8).toString('hex');
        const { status } = await fleet.post(origin, {
          token,
          manufacturerId: id,
          proof: randomBytes(32).toString('base64url'),
        });
        if (status !== 200) throw new Error(`HTTP ${status}`);
        into.push(performance.now() - startedAt);
        count += 1;
      }
    };
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: size.lanes }, (_, index) => lane(index)));
    return (count * 1000) / (performance.now() - startedAt);
  };
  // Both warm: statements planned, code compiled.
  await registerFor(1_000, []);
  for (let turn = 0; turn < size.turns; turn += 1) {
    inserts.push(await runPgbench(postgresql.port, size));
    rates.push(await registerFor(size.turnMs, latencies));
  }
  const sorted = latencies.toSorted((a, b) => a - b);
  return {
    perSecond: summarize(rates).median,
    insertsPerSecond: summarize(inserts).median,
    share: medianRatio(rates, inserts),
    medianMs: summarize(latencies).median,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
  };
}

async function createPlainTable(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      'CREATE TABLE plain (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL, created_at BIGINT NOT NULL)',
    );
  } finally {
    await client.end();
  }
}

/** One transaction, one row: the least that a registration could be. Resolves with transactions a second. */
async function runPgbench(
  port: number,
  { turnMs, lanes }: { readonly turnMs: number; readonly lanes: number },
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'endorse-pgbench-'));
  const script = join(folder, 'insert.sql');
  writeFileSync(script, "INSERT INTO plain (name, created_at) VALUES ('device', 1);\n");
  try {
    const connection = ['--host', '127.0.0.1', '--port', String(port), '--username', 'endorse'];
    const load = ['--client', String(lanes), '--jobs', '2', '--time', String(Math.ceil(turnMs / 1000))];
    const child = spawn(
      program('pgbench'),
      [...connection, ...load, '--no-vacuum', '--protocol', 'prepared', '--file', script, 'postgres'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(child, 'close');
    const [, rate] = /tps = ([\d.]+) \(without initial/.exec(output) ?? /tps = ([\d.]+)/.exec(output) ?? [];
    if (rate === undefined) throw new Error(`pgbench printed no rate: ${output}`);
    return Number(rate);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
