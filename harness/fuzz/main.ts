/**
 * `npm run fuzz`: the fuzz tests for longer than `npm test` does.
 *
 * `--seconds` is for each group of targets (a test file), shared by them evenly; `--target` takes those whose name holds
 * the text; `--seed` begins where a failure said. Figures go to `reports/fuzz.md`.
 */
import { rmSync } from 'node:fs';
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

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: '' },
    target: { type: 'string', default: '' },
  },
});
const env = {
  ...process.env,
  ENDORSE_FUZZ_SECONDS: values.seconds,
  ENDORSE_FUZZ_SEED: values.seed,
  ENDORSE_FUZZ_TARGET: values.target,
};
try {
  readFuzzBudget(env);
  rmSync(join(root, 'reports/fuzz'), { recursive: true, force: true });
  const argv = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--project',
    'int',
    '--passWithNoTests',
    ...files,
  ];
  process.exitCode = (await runForeground(process.execPath, argv, { cwd: root, env })) ?? 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
