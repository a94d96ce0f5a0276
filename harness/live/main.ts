/**
 * `npm run live`: the suites of `suites/any-service` and the probes, against the real service that `ENDORSE_LIVE_*` names.
 *
 *   npm run live                        suites, then differences
 *   npm run live -- suites [names]      suites alone, all or those whose files' names begin so
 *   npm run live -- differences [names] differences alone: reports/live-differences.md; of all probes, or of those whose
 *                                       names hold one of the names
 *   npm run live -- sweep               removes what earlier runs left behind, also of the last hour
 *
 * `--reports FOLDER` says where the report goes instead.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isEndorseError } from '@endorse/interface';
import { runForeground } from '../../scripts/lib/child.mjs';
import { LiveSettingsError, liveVariables, readLiveSettings } from '../support/service/live-settings.ts';
import type { ServiceAddress } from '../support/service/service-under-test.ts';
import { defaultReports, reportDifferences } from './differences.ts';
import { probes } from './probes/index.ts';
import { sweepLeftovers } from './sweep.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A run that began less than this ago may still be going on, on another machine. */
const leftoverAgeMs = 3_600_000;

const usage = 'usage: npm run live -- [suites [names] | differences [names] | sweep] [--reports FOLDER]\n';

async function main(args: readonly string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      reports: { type: 'string', default: defaultReports },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const [part = 'all', ...names] = positionals;
  const address = readLiveSettings(process.env);
  if (address === undefined) {
    const { connectionString, idScope } = liveVariables;
    throw new LiveSettingsError(`${connectionString} and ${idScope} say which service to run against`);
  }
  switch (part) {
    case 'all':
      await sweep(address, Date.now() - leftoverAgeMs);
      return Math.max(await runSuites([]), await writeDifferences(address, values.reports, []));
    case 'suites':
      await sweep(address, Date.now() - leftoverAgeMs);
      return runSuites(names);
    case 'differences':
      await sweep(address, Date.now() - leftoverAgeMs);
      return writeDifferences(address, values.reports, names);
    case 'sweep':
      // The second that is running counts, too.
      await sweep(address, Date.now() + 1000);
      return 0;
    default:
      throw new LiveSettingsError(`there is no part ${part}`);
  }
}

/** Comes first, whatever is to be done: a service that is away, or that takes no such key, is told of at once. */
async function sweep(address: ServiceAddress, madeBefore: number): Promise<void> {
  const removed = await sweepLeftovers(address, madeBefore);
  if (removed > 0) process.stdout.write(`removed ${removed} enrollments of earlier runs\n`);
}

/** One file at a time, and no hurry: the service takes seconds for a registration, and limits them. */
function runSuites(names: readonly string[]): Promise<number> {
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const folder = 'harness/suites/any-service/';
  const filters = names.length === 0 ? [folder] : names.map((name) => `${folder}${name}`);
  const limits = ['--no-file-parallelism', '--testTimeout=180000', '--hookTimeout=60000'];
  const argv = [vitest, 'run', '--project', 'int', ...limits, ...filters];
  return runForeground(process.execPath, argv, { cwd: root, env: process.env });
}

async function writeDifferences(
  address: ServiceAddress,
  reports: string,
  names: readonly string[],
): Promise<number> {
  const chosen = probes.filter(
    ({ name }) => names.length === 0 || names.some((part) => name.toLowerCase().includes(part.toLowerCase())),
  );
  if (chosen.length === 0)
    throw new LiveSettingsError(`no probe has a name with ${names.join(' or ')} in it`);
  const findings = await reportDifferences(address, chosen, reports);
  const count = (verdict: string): number => findings.filter((each) => each.verdict === verdict).length;
  process.stdout.write(
    `${count('holds')} assumptions of the emulator hold, ${count('differs')} do not, ${count('unseen')} could not be ` +
      `observed: ${join(reports, 'live-differences.md')}\n`,
  );
  // That they differ is what the report is for; that one could not be asked is a failure.
  return count('unseen') === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (isEndorseError(error)) {
    process.stderr.write(
      `${[`${error.message} [${error.code}]`, error.remedy ?? ''].join('\n').trimEnd()}\n`,
    );
    process.exitCode = 1;
  } else if (error instanceof LiveSettingsError || error instanceof TypeError) {
    process.stderr.write(`${error.message}\n${usage}`);
    process.exitCode = 2;
  } else {
    throw error;
  }
}
