import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { startPostgresql } from '../../suites/registrar/postgresql.ts';
import type { RegistrarFleet } from '../../suites/registrar/registrar-fleet.ts';
import { startRegistrarFleet } from '../../suites/registrar/registrar-fleet.ts';
import type { Summary } from '../support/statistics.ts';
import { medianRatio, summarize } from '../support/statistics.ts';
import { runPgbench } from './pgbench.ts';
import { recordRegistration } from './registration-script.ts';

/** How fast devices are registered, beside what the same database does for pgbench. Rates are of turns. */
export interface RegistrationRateFigures {
  readonly perSecond: Summary;
  /** The statements of a registration, without requests, tokens and hashes. */
  readonly transactionsPerSecond: Summary;
  /** One row and nothing else: the least that a registration could be. */
  readonly insertsPerSecond: Summary;
  /** Statements of a registration, BEGIN and COMMIT included. */
  readonly statements: number;
  /** Medians over the turns of registrations by transactions, and by inserts. */
  readonly toTransactions: number;
  readonly toInserts: number;
  /** Time of a registration. */
  readonly latencyMs: Summary;
}

interface TurnSize {
  readonly turnMs: number;
  readonly lanes: number;
}

/** Registers devices with four processes, and lets pgbench do the same statements and plain inserts, in turns, on one PostgreSQL with fsync. */
export async function measureRegistrations(
  size: TurnSize & { readonly turns: number },
): Promise<RegistrationRateFigures> {
  await using postgresql = await startPostgresql();
  await createPlainTable(postgresql.url);
  await using fleet = await startRegistrarFleet(postgresql.url, 4);
  const script = await recordRegistration(postgresql.url);
  const token = await fleet.mint();
  const rates: number[] = [];
  const transactions: number[] = [];
  const inserts: number[] = [];
  const latencies: number[] = [];
  // Both warm: statements planned, code compiled.
  await registerFor(fleet, token, { ...size, turnMs: 1_000 }, []);
  for (let turn = 0; turn < size.turns; turn += 1) {
    inserts.push(await runPgbench(plainInsert, { ...size, port: postgresql.port }));
    transactions.push(await runPgbench(script, { ...size, port: postgresql.port }));
    rates.push(await registerFor(fleet, token, size, latencies));
  }
  return {
    perSecond: summarize(rates),
    transactionsPerSecond: summarize(transactions),
    insertsPerSecond: summarize(inserts),
    statements: script.statements,
    toTransactions: medianRatio(rates, transactions),
    toInserts: medianRatio(rates, inserts),
    latencyMs: summarize(latencies),
  };
}

/** Resolves with registrations a second. */
async function registerFor(
  fleet: RegistrarFleet,
  token: string,
  { turnMs, lanes }: TurnSize,
  latencies: number[],
): Promise<number> {
  const startedAt = performance.now();
  let count = 0;
  const lane = async (index: number): Promise<void> => {
    const { origin = '' } = fleet.processes[index % fleet.processes.length] ?? {};
    while (performance.now() < startedAt + turnMs) {
      const sentAt = performance.now();
      const manufacturerId = randomBytes(8).toString('hex');
      const proof = randomBytes(32).toString('base64url');
      const { status } = await fleet.post(origin, { token, manufacturerId, proof });
      if (status !== 200) throw new Error(`HTTP ${status}`);
      latencies.push(performance.now() - sentAt);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)));
  return (count * 1000) / (performance.now() - startedAt);
}

const plainInsert = { text: "INSERT INTO plain (name, created_at) VALUES ('device', 1);\n", constants: {} };

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
