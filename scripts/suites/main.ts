/**
 * Runs a tier of suites and sums it up.
 *
 *   main.ts test     the unit tests, then every check beside the integration tests
 *   main.ts system   the tests against foreign tools, and those in containers where an engine answers
 *
 * Leaves `reports/<tier>.json`, which `.ci/run` adds up over the tiers.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, type CheckResult, formatResult, isError, runCheck } from '../checks/check.ts';
import { checks } from '../checks/registry.ts';
import { runForeground } from '../lib/child.mjs';
import { exitOnSignals } from '../lib/interrupt.mjs';
import { repositoryRoot as root } from '../lib/root.mjs';
import { hideForeignPrograms } from './foreign-tools.ts';
import { withoutLiveVariables } from './live-variables.ts';
import { requirementFindings, requirements } from './requirements.ts';
import { type SuiteResult, formatSummary, isGreen } from './summary.ts';
import { passedTests, readSuite } from './vitest-report.ts';

const reports = join(root, 'reports');
const environment = withoutLiveVariables(process.env);
const reportOf = (project: string): string => join(reports, `vitest-${project}.json`);

let inForeground = false;
const { exitIfInterrupted } = exitOnSignals(() => inForeground);

/** Runs one vitest project, its output on our streams. */
async function runProject(project: string, env = environment): Promise<SuiteResult> {
  const report = reportOf(project);
  rmSync(report, { force: true });
  const startedAt = performance.now();
  const argv = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', project];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  inForeground = true;
  const exitCode = await runForeground(process.execPath, [...argv, ...reporters], { cwd: root, env });
  inForeground = false;
  exitIfInterrupted();
  return readSuite(project, report, exitCode, performance.now() - startedAt);
}

/** Reads the reports of this run, so it comes after the tests. */
const requirementsCheck: Check = {
  name: 'requirements',
  summary: 'every requirement is named by a test that passed',
  run: async () =>
    requirementFindings(
      requirements,
      ['unit', 'int'].flatMap((project) => passedTests(reportOf(project), root)),
    ),
};

/** Runs all checks; their output waits until the tests have stopped writing. */
async function runChecks(): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) results.push(await runCheck(check, root));
  return results;
}

function sumUpChecks(results: readonly CheckResult[]): SuiteResult {
  const failed = results.filter(({ findings }) => findings.some(isError)).length;
  const durationMs = results.reduce((sum, result) => sum + result.durationMs, 0);
  return { name: 'checks', passed: results.length - failed, failed, skipped: 0, durationMs };
}

async function runTests(): Promise<SuiteResult[]> {
  const env = hideForeignPrograms(join(reports, 'hidden-programs'), environment);
  // The unit tests keep every core busy, the integration tests mostly wait: the checks go beside those.
  const unit = await runProject('unit', env);
  const checking = runChecks();
  const int = await runProject('int', env);
  const results = [...(await checking), await runCheck(requirementsCheck, root)];
  process.stdout.write(`\nchecks\n${results.map(formatResult).join('')}`);
  return [sumUpChecks(results), unit, int];
}

/** The set-up step before us says in the environment whether there is an engine, and said why where there is none. */
async function runContainers(): Promise<SuiteResult[]> {
  if (process.env['ENDORSE_CONTAINERS'] === 'available') return [await runProject('containers')];
  process.stdout.write('\nthe container suites are not run: no container engine answers\n');
  return [];
}

const tiers: Readonly<Record<string, () => Promise<SuiteResult[]>>> = {
  test: runTests,
  system: async () => [await runProject('system'), ...(await runContainers())],
};

const tier = process.argv[2] ?? '';
const run = tiers[tier];
if (run === undefined) {
  process.stderr.write(`usage: main.ts ${Object.keys(tiers).join('|')}\n`);
  process.exitCode = 2;
} else {
  mkdirSync(reports, { recursive: true });
  const tierReport = join(reports, `${tier}.json`);
  rmSync(tierReport, { force: true });
  const suites = await run();
  writeFileSync(tierReport, `${JSON.stringify({ tier, suites }, null, 2)}\n`);
  process.stdout.write(formatSummary(tier, suites));
  process.exitCode = isGreen(suites) ? 0 : 1;
}
