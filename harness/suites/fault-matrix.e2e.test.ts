/**
 * Faults at every step: whatever the network or the TPM does, a registration succeeds or ends with a typed error within
 * its deadline, the TPM holds what it held before, and no connection is left.
 *
 * `ENDORSE_FAULT_SEED` repeats a run, `ENDORSE_FAULT_CASES` lengthens it.
 */
import { writeSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { networkCells, randomCases, seededNumbers, tpmCells } from '../support/faults/fault-cases.ts';
import { startFaultStand } from '../support/faults/fault-stand.ts';
import type { FaultStand } from '../support/faults/fault-stand.ts';
import { mustSucceed, runCases } from '../support/faults/run-cases.ts';
import type { MatrixSummary } from '../support/faults/run-cases.ts';

const minimumCases = 1_000;
const wantedCases = Math.max(minimumCases, Number(process.env['ENDORSE_FAULT_CASES'] ?? minimumCases));
const seed = Number(process.env['ENDORSE_FAULT_SEED'] ?? Date.now() % 1_000_000);
/** Registrations mostly wait, so more stands than cores. */
const standCount = 6;
const matrixTimeoutMs = 60_000 + wantedCases * 600;

const resources = new AsyncDisposableStack();
let stands: readonly FaultStand[] = [];
beforeAll(async () => {
  stands = await Promise.all(Array.from({ length: standCount }, () => startFaultStand()));
  for (const stand of stands) resources.use(stand);
});
afterAll(() => resources.disposeAsync());

test(
  `every cell once, and ${wantedCases} cases at least, hold every promise`,
  { timeout: matrixTimeoutMs },
  async () => {
    const next = seededNumbers(seed);
    const commandCount = stands[0]?.tpmCommandCodes.length ?? 0;
    expect(commandCount).toBeGreaterThan(20);
    const cells = [...networkCells(next), ...tpmCells(commandCount)];
    const more = randomCases(next, Math.max(0, wantedCases - cells.length), commandCount);
    const startedAt = performance.now();
    const summary = await runCases(stands, [...cells, ...more]);
    print('fault matrix', cells.length, summary, performance.now() - startedAt);
    expect(summary.problems).toEqual([]);
    // Faults that never strike would prove nothing.
    expect(summary.struck / summary.cases).toBeGreaterThan(0.8);
    expect(summary.succeeded).toBeGreaterThan(0);
  },
);

test('with retries switched off the same matrix turns red', { timeout: 120_000 }, async () => {
  await using stand = await startFaultStand({ retries: false });
  const next = seededNumbers(seed);
  const repairable = [...networkCells(next), ...tpmCells(stand.tpmCommandCodes.length)].filter(mustSucceed);
  const sample = repairable.filter((_, index) => index % 5 === 0);
  const { problems } = await runCases([stand], sample);
  expect(problems.length).toBeGreaterThan(sample.length / 4);
});

function print(name: string, cells: number, summary: MatrixSummary, wallMs: number): void {
  const codes = Object.entries(summary.codes).map(([code, count]) => `${code} ${count}`);
  writeSync(
    1,
    `${name}: seed ${seed}, ${cells} cells, ${summary.cases} cases, ${summary.struck} struck, ` +
      `${summary.succeeded} succeeded, ${codes.join(', ')}; ${(wallMs / 1000).toFixed(0)} s\n`,
  );
}
