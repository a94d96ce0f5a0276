/** `npm run fuzz`: the fuzz tests for longer than `npm test` does. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readFuzzBudget } from '@endorse/fuzzing';
import { runForeground } from '../../scripts/lib/child.mjs';
import { repositoryRoot as root } from '../../scripts/lib/root.mjs';

const files = [
  'harness/suites/fuzz',
  'packages/transport-amqp/test/fuzz.int.test.ts',
  'packages/transport-mqtt/test/fuzz.int.test.ts',
];

const usage = `usage: npm run fuzz -- [--seconds N] [--target TEXT] [--seed N] [--reports FOLDER]

  --seconds N       how long each group of targets (a test file) has, shared by them evenly; default 120
  --target TEXT     only targets whose name holds the text
  --seed N          begins where a failure said
  --reports FOLDER  where fuzz.md goes; default reports
`;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '120' },
      seed: { type: 'string', default: '' },
      target: { type: 'string', default: '' },
      reports: { type: 'string', default: join(root, 'reports') },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const env = {
    ...process.env,
    ENDORSE_FUZZ_SECONDS: values.seconds,
    ENDORSE_FUZZ_SEED: values.seed,
    ENDORSE_FUZZ_TARGET: values.target,
    ENDORSE_FUZZ_REPORTS: values.reports,
  };
  readFuzzBudget(env);
  const figures = join(values.reports, 'fuzz');
  rmSync(figures, { recursive: true, force: true });
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const argv = [vitest, 'run', '--project', 'int', '--passWithNoTests', ...files];
  const exitCode = await runForeground(process.execPath, argv, { cwd: root, env });
  // Files without a target that fits pass; a run in which none had one has shown nothing.
  if (exitCode === 0 && !existsSync(figures)) throw new Error(`no target has "${values.target}" in its name`);
  return exitCode;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  process.exitCode = 2;
}
