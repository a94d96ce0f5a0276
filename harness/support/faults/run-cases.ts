import { describeCase } from './fault-case.ts';
import type { FaultCase } from './fault-case.ts';
import { standDeadlineMs } from './fault-stand.ts';
import type { FaultReport, FaultStand } from './fault-stand.ts';

/** What a run over many cases found. */
export interface MatrixSummary {
  readonly cases: number;
  readonly struck: number;
  readonly succeeded: number;
  /** Outcomes that are errors, by code. */
  readonly codes: Readonly<Record<string, number>>;
  /** One line a broken promise. */
  readonly problems: readonly string[];
}

/** Cleaning up after an abort, and a busy machine. */
const graceMs = 4_000;

/** Faults after which a registration has to succeed: they cost one request or one command, and nothing is wrong then. */
export function mustSucceed({ injection }: FaultCase): boolean {
  if (injection.where === 'tpm') return ['retry', 'yielded', 'testing'].includes(injection.fault);
  return ['latency', 'bandwidth', 'reset'].includes(injection.fault.kind);
}

/** Runs the cases, dealt out to the stands, and holds every report against the promises. */
export async function runCases(
  stands: readonly FaultStand[],
  cases: readonly FaultCase[],
): Promise<MatrixSummary> {
  const queue = cases.values();
  const codes: Record<string, number> = {};
  const problems: string[] = [];
  let struck = 0;
  let succeeded = 0;
  const work = async (stand: FaultStand): Promise<void> => {
    for (const faultCase of queue) {
      const report = await stand.run(faultCase);
      if (report.struck) struck += 1;
      if (report.outcome.kind === 'succeeded') succeeded += 1;
      else if (report.outcome.kind === 'typed-error') {
        codes[report.outcome.code] = (codes[report.outcome.code] ?? 0) + 1;
      }
      problems.push(...problemsOf(faultCase, report).map((text) => `${describeCase(faultCase)}: ${text}`));
    }
  };
  await Promise.all(stands.map(work));
  return { cases: cases.length, struck, succeeded, codes, problems };
}

function problemsOf(faultCase: FaultCase, report: FaultReport): string[] {
  const { outcome, wallMs, tpmDifferences, openConnections } = report;
  const problems: string[] = [];
  if (outcome.kind === 'untyped-error') problems.push(`untyped error ${String(outcome.error)}`);
  if (outcome.kind === 'typed-error' && mustSucceed(faultCase)) problems.push(`ended with ${outcome.code}`);
  if (wallMs > standDeadlineMs + graceMs) problems.push(`took ${Math.round(wallMs)} ms`);
  if (tpmDifferences.length > 0) problems.push(`changed the TPM: ${tpmDifferences.join(' ')}`);
  if (openConnections > 0) problems.push(`left ${openConnections} connections`);
  return problems;
}
